import type { ClientRecord } from './history.js';

/** A time, ends excluded. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** When a client had a subscription, as far as it knows. */
export interface Subscribed {
  /** When it was told so. */
  readonly told: readonly Interval[];
  /** When it certainly had it, in a session that was kept to the end: what was published then must have arrived. */
  readonly certain: readonly Interval[];
  /** When it may have had it: what was published at another time must not have arrived. */
  readonly possible: readonly Interval[];
}

/** Everything that a client ever subscribed to, by filter. */
export function subscriptionsOf(events: ClientRecord): Map<string, Subscribed> {
  const all = new Map<string, Subscription>();
  let connected = false;
  let endedAt = 0;
  for (const event of events) {
    if (event.e === 'connecting' && event.clean) for (const each of all.values()) each.doubt(event.at);
    else if (event.e === 'connected' && !event.present) for (const each of all.values()) each.lose(endedAt, event.at);
    else if ((event.e === 'gone' || event.e === 'began') && connected) endedAt = event.at;
    if (event.e === 'connected') connected = true;
    else if (event.e === 'gone' || event.e === 'began') connected = false;
    if (!('filter' in event)) continue;
    let subscription = all.get(event.filter);
    if (subscription === undefined) {
      subscription = new Subscription();
      all.set(event.filter, subscription);
    }
    subscription[event.e](event.at);
  }
  return new Map([...all].map(([filter, subscription]) => [filter, subscription.result()]));
}

class Subscription implements Subscribed {
  readonly told: Interval[] = [];
  readonly certain: Interval[] = [];
  readonly possible: Interval[] = [];
  private certainFrom: number | undefined;
  private possibleFrom: number | undefined;
  /** How many of those that are certain belong to sessions before this one. */
  private kept = 0;

  subscribing(at: number): void {
    this.possibleFrom ??= at;
  }

  subscribed(at: number): void {
    this.certainFrom ??= at;
  }

  unsubscribing(at: number): void {
    if (this.certainFrom === undefined) return;
    this.certain.push({ from: this.certainFrom, to: at });
    this.told.push({ from: this.certainFrom, to: at });
    this.certainFrom = undefined;
  }

  unsubscribed(at: number): void {
    if (this.possibleFrom !== undefined) this.possible.push({ from: this.possibleFrom, to: at });
    this.possibleFrom = undefined;
  }

  /** The session may be gone, with what it still had to bring. */
  doubt(at: number): void {
    this.unsubscribing(at);
    this.certain.length = this.kept;
  }

  /** The session is gone since some time behind the end of its last connection. */
  lose(endedAt: number, at: number): void {
    this.doubt(endedAt);
    this.unsubscribed(at);
    this.kept = this.certain.length;
  }

  result(): Subscribed {
    this.unsubscribing(Number.POSITIVE_INFINITY);
    if (this.possibleFrom !== undefined) this.unsubscribed(Number.POSITIVE_INFINITY);
    return this;
  }
}

/** Whether one of the intervals, which are in order, holds all of `from` to `to`. */
export function holds(intervals: readonly Interval[], from: number, to: number): boolean {
  const last = lastBeginningBy(intervals, from);
  return last !== undefined && last.from < from && last.to > to;
}

/** Whether one of the intervals, which are in order, has a moment of `from` to `to`. */
export function touches(intervals: readonly Interval[], from: number, to: number): boolean {
  const last = lastBeginningBy(intervals, to);
  return last !== undefined && last.to >= from;
}

function lastBeginningBy(intervals: readonly Interval[], at: number): Interval | undefined {
  let [low, high] = [0, intervals.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((intervals[middle]?.from ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return intervals[low - 1];
}
