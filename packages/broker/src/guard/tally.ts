/** Keys of which failures are remembered; the one that failed longest ago makes room. */
const mostKeys = 65_536;
/** Milliseconds without a failure after which earlier lock-outs no longer make the next one longer. */
const forgiveness = 86_400_000;

/** When something is locked out, and for how long; in milliseconds. */
export interface Rule {
  /** So many failures in the window are one too many. */
  readonly most: number;
  readonly window: number;
  /** The first lock-out; each further one is twice as long as the one before, up to `longest`. */
  readonly first: number;
  readonly longest: number;
}

export interface Locked {
  readonly what: string;
  readonly until: number;
}

interface Entry {
  failures: number;
  since: number;
  lastFailure: number;
  until: number;
  lockOuts: number;
}

/** Failures by key, and what they come to. */
export class Tally {
  private readonly entries = new Map<string, Entry>();

  /** Counts without locking anything out. */
  add(what: string, now: number, window: number): Entry {
    const known = this.entries.get(what);
    const entry = known ?? { failures: 0, since: now, lastFailure: now, until: 0, lockOuts: 0 };
    if (now - entry.since > window) Object.assign(entry, { failures: 0, since: now });
    if (now - entry.lastFailure > forgiveness) entry.lockOuts = 0;
    entry.failures++;
    entry.lastFailure = now;
    this.entries.delete(what);
    if (this.entries.size >= mostKeys) for (const [oldest] of this.entries) if (this.entries.delete(oldest)) break;
    this.entries.set(what, entry);
    return entry;
  }

  /** Counts, and tells when that was one too many. */
  fail(what: string, now: number, { most, window, first, longest }: Rule): Locked | undefined {
    const entry = this.add(what, now, window);
    if (entry.until > now || entry.failures < most) return undefined;
    entry.until = now + Math.min(longest, first * 2 ** Math.min(entry.lockOuts, 30));
    entry.lockOuts++;
    entry.failures = 0;
    return { what, until: entry.until };
  }

  /** Failures in the window that is running. */
  count(what: string): number {
    return this.entries.size === 0 ? 0 : (this.entries.get(what)?.failures ?? 0);
  }

  lockedUntil(what: string, now: number): number | undefined {
    if (this.entries.size === 0) return undefined; // as it is nearly always
    const until = this.entries.get(what)?.until;
    return until !== undefined && until > now ? until : undefined;
  }

  forget(what: string): void {
    if (this.entries.size > 0) this.entries.delete(what);
  }

  *locked(now: number): Iterable<Locked> {
    for (const [what, { until }] of this.entries) if (until > now) yield { what, until };
  }
}
