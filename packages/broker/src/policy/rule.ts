import type { Place } from '../errors.js';
import type { Conditions, Setting } from './conditions.js';
import type { ClientIdPattern, TopicPattern } from './object.js';
import type { SubjectPattern } from './subject.js';

/** What a client can be allowed or denied. */
export const actions = ['connect', 'publish', 'subscribe', 'receive'] as const;

export type Action = (typeof actions)[number];

export type Effect = 'allow' | 'deny';

/** How a rule of a role came to be about its subject. */
export interface Given {
  readonly role: string;
  /** Of the rule that gives the role. */
  readonly place: Place;
}

/** What a rule says, whoever it is about. */
export interface Permission {
  readonly effect: Effect;
  readonly actions: ReadonlySet<Action>;
  /** For `publish`, `subscribe` and `receive`. */
  readonly topics: readonly TopicPattern[];
  /** For `connect`. */
  readonly clientIds: readonly ClientIdPattern[];
  readonly conditions: Conditions;
  readonly setting: Setting;
  /** Where it is written. */
  readonly place: Place;
}

/** One rule of a policy: whom it is about, what they may or may not do, with what. */
export interface Rule extends Permission {
  readonly subject: SubjectPattern;
  /** Undefined for a rule that stands outside of roles. */
  readonly given: Given | undefined;
}

/** A group that the policy defines, or a role that it gives: whoever one of the patterns is about. */
export interface Group {
  readonly name: string;
  readonly members: readonly SubjectPattern[];
}

/** Everything that a policy says, as plain values. */
export interface PolicyText {
  /** In the order of the file. */
  readonly rules: readonly Rule[];
  readonly groups: readonly Group[];
  /** Every role, and who is given it. */
  readonly roles: readonly Group[];
  /** Of the hours in it. */
  readonly timeZone: string;
}

/** `file:line` of the rule, which is what a denial is known by. */
export function nameOfRule(rule: Rule | undefined): string {
  return rule === undefined ? 'default' : `${rule.place.file}:${rule.place.line}`;
}
