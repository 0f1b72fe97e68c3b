import { forever } from '../plan.js';
import { type Attempt, attemptsOf } from './connections.js';
import { type Fault, type History, lateness, surelyKnown, wasFull } from './history.js';

/** What a broker says when it can store nothing: quota exceeded, or what there is in its place. */
const refusals = new Set([0x97, 0x80, 3]);

/** A session is there as long as was acknowledged, and not longer. */
export function checkSessions(history: History): Fault[] {
  const faults: Fault[] = [];
  for (const [client, events] of history.records) {
    const attempts = attemptsOf(events);
    for (const [index, attempt] of attempts.entries()) {
      if (attempt.present === undefined) continue;
      const expected = expectation(history, attempts.slice(0, index), attempt);
      if (expected === undefined || expected === attempt.present) continue;
      const text = attempt.present
        ? 'was told of a session that should have been gone'
        : 'was told that its session is gone, which should have been there';
      faults.push({ rule: 'session', client, text: `${text}, at ${attempt.connectedAt}` });
    }
    for (const event of events) {
      if (event.e !== 'refused' || (refusals.has(event.code) && wasFull(history, event.at, event.at))) continue;
      faults.push({ rule: 'refused', client, text: `${event.packet} was refused with 0x${event.code.toString(16)}` });
    }
  }
  return faults;
}

/** Whether a session must be there; undefined when both are right. */
function expectation(history: History, before: readonly Attempt[], attempt: Attempt): boolean | undefined {
  if (attempt.clean || attempt.expiry === 0) return false;
  if (before.length === 0) return false;
  const milliseconds = attempt.expiry === forever ? Number.POSITIVE_INFINITY : attempt.expiry * 1_000;
  const last = before.findLast(({ connectedAt }) => connectedAt !== undefined);
  if (last !== undefined && (attempt.connectedAt ?? 0) < last.endedFrom + milliseconds) return true;
  const ended = Math.max(...before.map(({ endedTo }) => endedTo));
  const known = surelyKnown(history, ended);
  // While the disk is full sessions do not end.
  if (attempt.at > known + milliseconds + lateness && !wasFull(history, known, attempt.at)) return false;
  return undefined;
}
