import type { Guest } from './guest.js';

/**
 * Guests in the order in which they came. A `Set` would do, but for what `PacketIdentifiers` says of a `Map`: at thousands of
 * connections a second its old tables keep those that have gone alive.
 */
export class GuestList {
  private first: Guest | undefined = undefined;
  private last: Guest | undefined = undefined;
  size = 0;

  /** Not to be called for one that is in a list. */
  add(guest: Guest): void {
    guest.list = this;
    guest.before = this.last;
    if (this.last === undefined) this.first = guest;
    else this.last.after = guest;
    this.last = guest;
    this.size++;
  }

  delete(guest: Guest): void {
    if (guest.list !== this) return;
    const { before, after } = guest;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    guest.before = undefined;
    guest.after = undefined;
    guest.list = undefined;
    this.size--;
  }

  *[Symbol.iterator](): Generator<Guest> {
    for (let guest = this.first; guest !== undefined; ) {
      const { after } = guest;
      yield guest;
      guest = after;
    }
  }
}
