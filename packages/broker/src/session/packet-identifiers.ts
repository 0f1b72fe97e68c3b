import { randomInt } from 'node:crypto';

const fewestBits = 3;
/** Slots that stay when nothing is in use any more. */
const mostKept = 1_024;
/** Odd, and unknown to clients, which choose identifiers: multiply-shift hashing is universal. */
const multiplier = randomInt(2 ** 31) * 2 + 1;

/**
 * What belongs to the packet identifiers (1 to 65535) in use, in the order in which they came into use.
 *
 * A `Map` would do, but whenever that makes a new table of itself, the old one refers to it. Once an old table has been
 * promoted, it keeps alive every younger one and all that those held, until the whole heap is swept: at a hundred thousand
 * messages a second that costs as much as their delivery.
 *
 * Open addressing with linear probing, at most half full.
 */
export class PacketIdentifiers<T> {
  /** 0 where the slot is free. */
  private ids: number[] = [];
  private values: (T | undefined)[] = [];
  /** Rises from one that came into use to the next. */
  private order: number[] = [];
  private mask = -1;
  private shift = 32;
  private last = 0;
  size = 0;

  has(id: number): boolean {
    return this.size > 0 && this.ids[this.slotOf(id)] === id;
  }

  get(id: number): T | undefined {
    return this.size > 0 ? this.values[this.slotOf(id)] : undefined;
  }

  /** Takes an identifier into use, or gives it another value in its old place. */
  set(id: number, value: T): void {
    if (2 * this.size > this.mask) this.grow();
    const slot = this.slotOf(id);
    if (this.ids[slot] !== id) {
      this.ids[slot] = id;
      this.order[slot] = ++this.last;
      this.size++;
    }
    this.values[slot] = value;
  }

  /** Whether it was in use. */
  delete(id: number): boolean {
    if (this.size === 0) return false;
    let free = this.slotOf(id);
    if (this.ids[free] !== id) return false;
    // Whoever was displaced by what now leaves moves up.
    for (let slot = (free + 1) & this.mask; this.ids[slot] !== 0; slot = (slot + 1) & this.mask) {
      const displacement = (slot - this.home(this.ids[slot] as number)) & this.mask;
      if (displacement < ((slot - free) & this.mask)) continue;
      this.put(free, this.ids[slot] as number, this.values[slot], this.order[slot] as number);
      free = slot;
    }
    this.put(free, 0, undefined, 0);
    this.size--;
    if (this.size === 0) this.startAnew();
    return true;
  }

  /** The oldest first, as they are now. */
  entries(): [id: number, value: T][] {
    return [...this.ids.keys()]
      .filter((slot) => this.ids[slot] !== 0)
      .sort((a, b) => (this.order[a] as number) - (this.order[b] as number))
      .map((slot) => [this.ids[slot] as number, this.values[slot] as T]);
  }

  /** As {@link entries}. */
  all(): T[] {
    return this.entries().map(([, value]) => value);
  }

  /** Where an identifier lies, or would. */
  private slotOf(id: number): number {
    let slot = this.home(id);
    while (this.ids[slot] !== id && this.ids[slot] !== 0) slot = (slot + 1) & this.mask;
    return slot;
  }

  private home(id: number): number {
    return Math.imul(id, multiplier) >>> this.shift;
  }

  private put(slot: number, id: number, value: T | undefined, order: number): void {
    this.ids[slot] = id;
    this.values[slot] = value;
    this.order[slot] = order;
  }

  /** Nothing is in use: the room that a crowd took is given back. */
  private startAnew(): void {
    this.last = 0;
    if (this.mask < mostKept) return;
    this.ids = [];
    this.values = [];
    this.order = [];
    this.mask = -1;
    this.shift = 32;
  }

  private grow(): void {
    const { ids, values, order } = this;
    this.shift = ids.length === 0 ? 32 - fewestBits : this.shift - 1;
    const slots = 2 ** (32 - this.shift);
    this.mask = slots - 1;
    this.ids = new Array<number>(slots).fill(0);
    this.values = new Array<T | undefined>(slots).fill(undefined);
    this.order = new Array<number>(slots).fill(0);
    for (const [old, id] of ids.entries()) {
      if (id !== 0) this.put(this.slotOf(id), id, values[old], order[old] as number);
    }
  }
}
