import type { Place } from '../errors.js';
import type { ClientIdPattern, TopicPattern } from './object.js';
import type { SubjectPattern } from './subject.js';

/** What a client can be allowed or denied. */
export const actions = ['connect', 'publish', 'subscribe', 'receive'] as const;

export type Action = (typeof actions)[number];

export type Effect = 'allow' | 'deny';

/** What a rule asks of the packet besides its topic; every field that is given must hold. */
export interface Conditions {
  readonly qos?: ReadonlySet<number>;
  readonly retain?: boolean;
}

/** One rule of a policy: whom it is about, what they may or may not do, with what. */
export interface Rule {
  readonly effect: Effect;
  readonly actions: ReadonlySet<Action>;
  readonly subject: SubjectPattern;
  /** For `publish`, `subscribe` and `receive`. */
  readonly topics: readonly TopicPattern[];
  /** For `connect`. */
  readonly clientIds: readonly ClientIdPattern[];
  readonly conditions: Conditions;
  /** Where it is written. */
  readonly place: Place;
}

/** What is known of a packet when a rule is asked. */
export interface Circumstances {
  /** Of the PUBLISH, or the one asked for in the SUBSCRIBE. */
  readonly qos: number;
  /** Of the PUBLISH; false in a SUBSCRIBE. */
  readonly retain: boolean;
}

export function conditionsHold({ qos, retain }: Conditions, circumstances: Circumstances): boolean {
  return (qos === undefined || qos.has(circumstances.qos)) && (retain === undefined || retain === circumstances.retain);
}
