import { type Attempt, attemptsOf } from './connections.js';
import { matches } from './deliveries.js';
import { type Fault, type History, lateness, surelyKnown, wasFull } from './history.js';
import { holds, subscriptionsOf } from './subscriptions.js';

/** A will is published once at most; where it is due, and only where it may be. */
export function checkWills(history: History): Fault[] {
  const faults: Fault[] = [];
  for (const [receiver, events] of history.records) {
    const subscriptions = [...subscriptionsOf(events)].filter(([filter]) => filter.startsWith('w/'));
    if (subscriptions.length === 0) continue;
    const counts = new Map<string, number>();
    for (const event of events)
      if (event.e === 'arrived')
        counts.set(`${event.from} ${event.n}`, (counts.get(`${event.from} ${event.n}`) ?? 0) + 1);
    for (const [client, record] of history.records) {
      const attempts = attemptsOf(record);
      for (const [index, attempt] of attempts.entries()) {
        const { will, at, endedFrom } = attempt;
        if (will === undefined) continue;
        const name = `${client} ${will.n}`;
        const count = counts.get(name) ?? 0;
        const expected = expectation(history, attempt, attempts.slice(index + 1));
        const seen = subscriptions.some(
          ([filter, { certain }]) => matches(filter, will.topic) && holds(certain, at, endedFrom),
        );
        if (count > 1)
          faults.push({ rule: 'will once', client: receiver, text: `got the will ${name} ${count} times` });
        if (count > 0 && expected === false)
          faults.push({ rule: 'will', client: receiver, text: `got the will ${name}, which must not be` });
        if (count === 0 && expected === true && seen)
          faults.push({ rule: 'will', client: receiver, text: `missed the will ${name} of ${attempt.endedTo}` });
      }
    }
  }
  return faults;
}

/** Whether the will of a connection must have been published; undefined when both are right. */
function expectation(history: History, attempt: Attempt, later: readonly Attempt[]): boolean | undefined {
  const { will, connectedAt, leftAt, endedFrom, endedTo } = attempt;
  if (will === undefined || endedFrom === Number.POSITIVE_INFINITY) return undefined;
  // A goodbye that a broker surely heard and kept.
  if (leftAt !== undefined) return surelyKnown(history, leftAt) === leftAt ? false : undefined;
  if (connectedAt === undefined) return undefined;
  if (will.delay === 0) return true;
  const returned = later.find((each) => each.connectedAt !== undefined);
  if (returned?.connectedAt !== undefined && returned.connectedAt < endedFrom + will.delay * 1_000) return false;
  const fired = surelyKnown(history, endedTo) + will.delay * 1_000 + lateness;
  // While the disk is full wills wait.
  if (wasFull(history, endedFrom, fired) || fired >= (history.lives.at(-1)?.to ?? 0)) return undefined;
  return later.every(({ at }) => at > fired) ? true : undefined;
}
