import type { Policy } from '../compile.js';
import { isReserved } from '../decide.js';
import { filterIsSubset } from '../filter.js';
import type { TopicPattern } from '../object.js';
import type { Action, Rule } from '../rule.js';
import { valueProblem } from '../template.js';
import { exactly } from '../text-pattern.js';
import { includesSubject } from './covers.js';
import { describeConditions, describePlace, describeSubject, describeTest } from './describe.js';

/** Some clients that a rule allows something of one topic, as far as a policy can tell without knowing all clients. */
export interface Holder {
  readonly action: Action;
  /** Who, in words: `everybody`, `group admins`, `user name pump-7`. */
  readonly who: string;
  /** `file:line`, with the role. */
  readonly rule: string;
  /** What must hold besides. */
  readonly conditions: readonly string[];
  /** Rules that deny it to some of them. */
  readonly except: readonly string[];
}

/** A rule on a topic, with the values that its variables must have for it. */
interface Applicable {
  readonly rule: Rule;
  readonly values: readonly string[];
}

/** Everybody who can do something with a topic by this policy. */
export function whoMay(policy: Policy, action: Exclude<Action, 'connect'>, topic: string): Holder[] {
  if (action === 'publish' && isReserved(topic)) return [];
  const applicable = policy.rules
    .filter(({ actions }) => actions.has(action))
    .flatMap((rule) => applicableTo(rule, topic));
  const denying = applicable.filter(({ rule }) => rule.effect === 'deny');
  const holders = applicable
    .filter(({ rule }) => rule.effect === 'allow')
    .filter((allowed) => !denying.some((denied) => takesAll(denied, allowed)))
    .map((allowed) => ({
      action,
      who: describe(allowed),
      rule: describePlace(allowed.rule),
      conditions: describeConditions(allowed.rule.conditions, allowed.rule.setting),
      except: denying.map((denied) => `${describe(denied)} (${describePlace(denied.rule)})`),
    }));
  const byDefault = { action, who: 'everybody', rule: 'default', conditions: [] };
  if (policy.fallback === 'deny') return holders;
  return [
    ...holders,
    { ...byDefault, except: denying.map((denied) => `${describe(denied)} (${describePlace(denied.rule)})`) },
  ];
}

function describe({ rule, values }: Applicable): string {
  const subject = describeSubject(rule.subject);
  if (values.length === 0) return subject;
  return [...(subject === 'everybody' ? [] : [subject]), ...values].join(' and ');
}

/** Whether a rule that denies leaves nothing of what another allows. */
function takesAll(denied: Applicable, { rule, values }: Applicable): boolean {
  return (
    Object.keys({ ...denied.rule.conditions, ...denied.rule.setting }).length === 0 &&
    includesSubject(denied.rule.subject, rule.subject) &&
    denied.values.every((value) => values.includes(value))
  );
}

function applicableTo(rule: Rule, topic: string): Applicable[] {
  const solutions = rule.topics.map((pattern) => solve(pattern, topic)).filter((values) => values !== undefined);
  const texts = new Map(solutions.map((values) => [values.join(), values]));
  // If one pattern holds whatever the client is called, what the others ask is of no account.
  const all = texts.get('');
  return (all === undefined ? [...texts.values()] : [all]).map((values) => ({ rule, values }));
}

/** The values that the variables of a pattern must have so that it includes the topic; undefined when none can. */
function solve({ levels }: TopicPattern, topic: string): string[] | undefined {
  const widened = levels.map((level) => (level.length > 1 ? '+' : level[0])).join('/');
  if (!filterIsSubset(topic, widened)) return undefined;
  const asked = topic.split('/');
  const values: string[] = [];
  for (const [index, level] of levels.entries()) {
    if (level.length === 1) continue;
    const solved = solveLevel(level, asked[index] ?? '');
    if (solved === undefined) return undefined;
    values.push(solved);
  }
  return values;
}

/** What a level says of its variables when it is to become a text. */
function solveLevel(level: readonly string[], text: string): string | undefined {
  if (level.length > 3) return `${written(level)} that is ${text}`;
  const [before = '', variable = '', after = ''] = level;
  if (text.length < before.length + after.length || !text.startsWith(before) || !text.endsWith(after)) return undefined;
  const value = text.slice(before.length, text.length - after.length);
  return valueProblem(value) === undefined ? describeTest({ fact: variable, patterns: [exactly(value)] }) : undefined;
}

function written(level: readonly string[]): string {
  return level.map((part, index) => (index % 2 === 0 ? part : `\${${part}}`)).join('');
}
