import type { Anonymous, Guest } from './guest.js';
import { GuestList } from './guest-list.js';

/** So many of the idlest are picked at once, so that not every newcomer makes all be looked at; and for how long, in ms. */
const picked = 64;
const pickFor = 1_000;

/** Those whose slots can be given to others: without a finished CONNECT, or without a proof of who they are. */
export class Guests {
  /** In the order in which they came. */
  private readonly unfinished = new GuestList();
  private readonly unproven = new GuestList();
  private idlest: Guest[] = [];
  private pickedAt = Number.NEGATIVE_INFINITY;
  /** How many have made room, and of which kind. */
  readonly evicted = { unfinished: 0, anonymous: 0 };
  /** Told of each that makes room. */
  onEvicted: (guest: Guest) => void = () => {};

  get waiting(): number {
    return this.unfinished.size;
  }

  get anonymous(): number {
    return this.unproven.size;
  }

  add(guest: Guest): Guest {
    this.unfinished.add(guest);
    return guest;
  }

  /** Its CONNECT was accepted; without `client` it has proven who it is. */
  finished(guest: Guest, client?: Anonymous): void {
    if (!guest.isPresent) return;
    this.unfinished.delete(guest);
    guest.client = client;
    if (client !== undefined) this.unproven.add(guest);
  }

  delete(guest: Guest): void {
    this.unfinished.delete(guest);
    this.unproven.delete(guest);
  }

  /**
   * Frees a slot, of one door or of any; false when nobody may be sent away.
   * @param silentSince when an anonymous client must have been heard of last, for its slot to be given to a newcomer
   */
  makeRoom(door: object | undefined, now: number, silentSince: number): boolean {
    for (const guest of this.unfinished) {
      if (door !== undefined && guest.door !== door) continue;
      this.evict(guest, 'unfinished');
      return true;
    }
    const idle = this.nextIdle(door, now, silentSince);
    if (idle === undefined) return false;
    this.evict(idle, 'anonymous');
    return true;
  }

  private nextIdle(door: object | undefined, now: number, silentSince: number): Guest | undefined {
    const fits = (guest: Guest): boolean =>
      guest.isPresent && (door === undefined || guest.door === door) && idleSince(guest) <= silentSince;
    const found = this.idlest.findLast(fits);
    if (found !== undefined || now - this.pickedAt < pickFor) return found;
    this.pickedAt = now;
    const candidates = [...this.unproven].filter(fits).sort((one, other) => idleSince(other) - idleSince(one));
    this.idlest = candidates.slice(-picked);
    return this.idlest.at(-1);
  }

  private evict(guest: Guest, kind: 'unfinished' | 'anonymous'): void {
    this.evicted[kind]++;
    const { client } = guest;
    guest.left();
    this.onEvicted(guest);
    if (client === undefined) guest.socket.destroy();
    else client.makeRoom();
  }
}

function idleSince({ client }: Guest): number {
  return client?.lastReceived ?? 0;
}
