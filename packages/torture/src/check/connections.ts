import type { RecordedWill } from '../record/event.js';
import type { ClientRecord } from './history.js';

/** One attempt of a client to be connected, and what became of it. */
export interface Attempt {
  readonly at: number;
  readonly clean: boolean;
  /** Seconds. */
  readonly expiry: number;
  readonly will: RecordedWill | undefined;
  /** When CONNACK came; undefined when none did. */
  connectedAt: number | undefined;
  present: boolean | undefined;
  /** When it sent DISCONNECT. */
  leftAt: number | undefined;
  /** Its end came between these two; Infinity when it has not come. */
  endedFrom: number;
  endedTo: number;
}

/** All attempts of a client, in order. */
export function attemptsOf(events: ClientRecord): Attempt[] {
  const attempts: Attempt[] = [];
  let before = 0;
  for (const event of events) {
    const { at } = event;
    const last = attempts.at(-1);
    switch (event.e) {
      case 'connecting': {
        // A takeover: the connection before ends when the broker has heard of this one.
        if (last !== undefined && last.endedFrom === Number.POSITIVE_INFINITY) last.endedFrom = at;
        const { clean, expiry, will } = event;
        const open = { endedFrom: Number.POSITIVE_INFINITY, endedTo: Number.POSITIVE_INFINITY };
        const unanswered = { connectedAt: undefined, present: undefined, leftAt: undefined };
        attempts.push({ at, clean, expiry, will, ...unanswered, ...open });
        break;
      }
      case 'connected':
        for (const each of attempts.slice(0, -1)) each.endedTo = Math.min(each.endedTo, at);
        if (last !== undefined) Object.assign(last, { connectedAt: at, present: event.present });
        break;
      case 'leaving':
        if (last !== undefined) last.leftAt = at;
        break;
      case 'began':
      case 'gone':
        for (const each of attempts) {
          // A process that was killed ended somewhere behind the last that it wrote.
          if (each.endedFrom === Number.POSITIVE_INFINITY)
            each.endedFrom = event.e === 'began' ? before : (each.leftAt ?? at);
          each.endedTo = Math.min(each.endedTo, at);
        }
        break;
      default:
    }
    before = at;
  }
  return attempts;
}
