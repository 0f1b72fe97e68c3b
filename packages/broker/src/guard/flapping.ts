import type { Locked } from './tally.js';

/** Milliseconds for which connections are counted, and for which whoever came too often is kept out. */
const minute = 60_000;
/** Client IDs that are counted at once; with more of them in a minute, the next minute begins. */
const mostKeys = 65_536;

/**
 * Client IDs that connect again and again. Counted minute by minute, in tables that are thrown away whole: entries that go
 * one by one would have to be moved at every connection, and the tables of a `Map` in which they churn keep garbage alive.
 *
 * Time is the caller's, in milliseconds of wall-clock.
 */
export class Flapping {
  private counts = new Map<string, number>();
  private since = Number.NEGATIVE_INFINITY;
  /** Until when each is kept out: those of this minute, and of the one before. */
  private lockedOut = new Map<string, number>();
  private before: ReadonlyMap<string, number> = new Map();

  /** One comes in; whether that is too often: the connection after `most` in a minute, and all in the minute after that. */
  connects(key: string, most: number, now: number): boolean {
    if (most === Number.MAX_SAFE_INTEGER) return false; // not bounded
    if (isLocked(this.lockedOut, key, now) || isLocked(this.before, key, now)) return true;
    const full = this.counts.size >= mostKeys || this.lockedOut.size >= mostKeys;
    if (full || now - this.since >= minute || now < this.since) this.turn(now);
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    if (count < most) return false;
    this.counts.delete(key);
    this.lockedOut.set(key, now + minute);
    return true;
  }

  *locked(now: number): Iterable<Locked> {
    for (const some of [this.before, this.lockedOut])
      for (const [what, until] of some) if (until > now) yield { what, until };
  }

  private turn(now: number): void {
    this.counts = new Map();
    this.before = this.lockedOut;
    this.lockedOut = new Map();
    this.since = now;
  }
}

function isLocked(lockedOut: ReadonlyMap<string, number>, key: string, now: number): boolean {
  return lockedOut.size > 0 && (lockedOut.get(key) ?? 0) > now;
}
