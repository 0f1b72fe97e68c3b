import { parseSharedFilter } from '@moat/codec';
import type { Policy } from '../compile.js';
import { type Circumstances, conditionsHold } from '../conditions.js';
import { type Decision, nameOfDecision } from '../decide.js';
import type { Subject } from '../facts.js';
import { filterIsSubset, intersection } from '../filter.js';
import { bindTopic, clientIdMatches } from '../object.js';
import type { Action, Rule } from '../rule.js';
import { subjectMatches, testHolds } from '../subject.js';
import {
  describeAddresses,
  describeConditions,
  describePermission,
  describePlace,
  describeTest,
  either,
} from './describe.js';

/** Something that a client asks for. */
export interface Request {
  readonly action: Action;
  /** The client ID for `connect`, the filter for `subscribe`, else the topic name. */
  readonly target: string;
  readonly circumstances: Circumstances;
}

/** A rule that would have allowed what was denied, but for one thing. */
interface NearMiss {
  readonly rule: string;
  readonly says: string;
  readonly needed: string;
}

/** A decision, and all that there is to say about it. */
export interface Explanation {
  readonly allowed: boolean;
  /** `file:line` of the rule that decided, with the role it came by; `default`, or `reserved`. */
  readonly rule: string;
  /** What that rule says; undefined when none decided. */
  readonly says: string | undefined;
  /** What else the operator should know of this client and this request. */
  readonly notes: readonly string[];
  /** What would have been needed to be allowed. */
  readonly near: readonly NearMiss[];
}

/** Enough for a person to see what is meant. */
const maxNear = 8;

/** What a policy says to a request at a moment, why, and what would have been needed for another answer. */
export function explain(policy: Policy, subject: Subject, request: Request, now = Date.now()): Explanation {
  const bound = policy.bind(subject, now);
  const decision = bound.decide(request.action, request.target, request.circumstances);
  const { rule, allowed } = decision;
  return {
    allowed,
    rule: rule === undefined ? nameOfDecision(decision) : describePlace(rule),
    says: rule && describePermission(rule),
    notes: [
      ...bound
        .unusableValues()
        .map(({ problem, rule }) => `${problem}, so that ${describePlace(rule)} matches nothing`),
      ...notesOn(policy, bound.subject, request, decision),
    ],
    near: allowed || decision.reserved ? [] : nearMisses(policy, bound.subject, request, now),
  };
}

function notesOn(
  policy: Policy,
  subject: Subject,
  { action, target }: Request,
  { allowed, rule, reserved }: Decision,
): string[] {
  if (reserved) return ["the topics of $SYS are the broker's, and what begins with $share/ is nobody's to publish to"];
  if (!allowed) return rule === undefined ? [] : ['a rule that denies wins over every rule that allows'];
  if (action !== 'subscribe') return [];
  const filter = innerFilter(target);
  return policy.rules
    .filter(({ effect, actions }) => effect === 'deny' && actions.has('receive'))
    .filter((rule) => subjectMatches(rule.subject, subject))
    .flatMap((rule) => {
      const held = rule.topics
        .flatMap((topic) => bindTopic(topic, subject))
        .flatMap((denied) => intersection(filter, denied) ?? []);
      return held.length === 0 ? [] : [`not delivered: ${held.join(', ')} (${describePlace(rule)})`];
    });
}

/** Rules that allow, and fail at one thing; those that speak of what was asked for come first. */
function nearMisses(policy: Policy, subject: Subject, request: Request, now: number): NearMiss[] {
  const found = policy.rules.flatMap((rule) => {
    if (rule.effect !== 'allow') return [];
    const missing = [
      ...missingAction(rule, request),
      ...missingObject(rule, subject, request),
      ...missingSubject(rule, subject),
      ...missingCircumstances(policy, rule, subject, request, now),
    ];
    const [only] = missing;
    return only === undefined || missing.length > 1 ? [] : [{ only, rule }];
  });
  found.sort((one, other) => one.only.rank - other.only.rank);
  return found
    .slice(0, maxNear)
    .map(({ only, rule }) => ({ rule: describePlace(rule), says: describePermission(rule), needed: only.needed }));
}

interface Missing {
  readonly rank: number;
  readonly needed: string;
}

function missingAction({ actions }: Rule, { action }: Request): Missing[] {
  return actions.has(action) ? [] : [{ rank: 2, needed: `${action} in it: it allows ${[...actions].join(', ')}` }];
}

function missingObject(rule: Rule, subject: Subject, { action, target }: Request): Missing[] {
  if (action === 'connect') {
    if (rule.clientIds.some((pattern) => clientIdMatches(pattern, subject, target))) return [];
    const patterns = rule.clientIds.map(({ text }) => text);
    return [
      { rank: 3, needed: patterns.length === 0 ? 'client IDs in it' : `a client ID such as ${either(patterns)}` },
    ];
  }
  const filters = rule.topics.flatMap((topic) => bindTopic(topic, subject));
  if (filters.some((filter) => filterIsSubset(innerFilter(target), filter))) return [];
  const what = action === 'subscribe' ? 'a filter' : 'a topic';
  if (filters.length === 0) return [{ rank: 4, needed: 'values for its variables that this client has not' }];
  return [{ rank: 3, needed: `${what} within ${either(filters)}` }];
}

function missingSubject({ subject: pattern }: Rule, subject: Subject): Missing[] {
  const failed = pattern.tests.filter((test) => !testHolds(test, subject)).map(describeTest);
  for (const list of pattern.addresses)
    if (!subjectMatches({ tests: [], addresses: [list] }, subject)) failed.push(describeAddresses(list));
  return failed.length === 0 ? [] : [{ rank: 1, needed: failed.join(' and ') }];
}

function missingCircumstances(
  policy: Policy,
  rule: Rule,
  subject: Subject,
  { circumstances }: Request,
  now: number,
): Missing[] {
  const { conditions, setting } = rule;
  const holds = conditionsHold(conditions, circumstances, false) && policy.settingHolds(setting, subject, now);
  return holds ? [] : [{ rank: 0, needed: describeConditions(conditions, setting).join(' and ') }];
}

function innerFilter(filter: string): string {
  return parseSharedFilter(filter)?.filter ?? filter;
}
