import { OperatorError, type Place } from '../../errors.js';
import { usernameProblem } from '../../identity/username.js';
import type { Policy } from '../compile.js';
import { intersection } from '../filter.js';
import { variablesIn } from '../object.js';
import type { Rule } from '../rule.js';
import { variablesOf } from '../template.js';
import { covers, excludes, includesSubject } from './covers.js';
import { describePlace, describeTest } from './describe.js';

/** Something in a policy that is allowed to be written, and hardly meant. */
export interface Finding {
  readonly place: Place;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/** Reads a policy as a careful colleague would. What it finds is in the order of the file. */
export function review(policy: Policy): Finding[] {
  const denying = policy.rules.filter(({ effect }) => effect === 'deny');
  const found = policy.rules.flatMap((rule) => [
    ...neverMatches(rule),
    ...shadowed(rule, denying),
    ...reachesFurther(rule, policy.rules),
  ]);
  // A rule of a role is there once for each time that the role is given.
  const unique = new Map(found.map((finding) => [showFinding(finding), finding]));
  return [...unique.values()].sort(
    (one, other) => one.place.line - other.place.line || one.place.column - other.place.column,
  );
}

/** The line shown to a person. */
export function showFinding({ place, message, hint }: Finding): string {
  return String(new OperatorError('policy.invalid', message, { place, hint }));
}

function neverMatches(rule: Rule): Finding[] {
  const { tests } = rule.subject;
  const found: string[] = [];
  for (const [index, test] of tests.entries()) {
    const opposed = tests.slice(index + 1).find((other) => other.fact === test.fact && excludes(test, other));
    if (opposed) found.push(`nobody has both ${describeTest(test)} and ${describeTest(opposed)}`);
  }
  for (const { before, after } of tests.filter(({ fact }) => fact === 'username').flatMap(({ patterns }) => patterns)) {
    const problem = after === undefined ? usernameProblem(before) : undefined;
    if (problem !== undefined) found.push(`there is no user name ${JSON.stringify(before)}: it ${problem}`);
  }
  const anonymous = tests.some(
    ({ fact, patterns }) => fact === 'method' && patterns.every(({ before }) => before === 'anonymous'),
  );
  const named = anonymous && nameless(rule);
  if (named) found.push(`an anonymous client has no ${named}`);
  if (
    rule.effect === 'allow' &&
    rule.actions.has('publish') &&
    rule.topics.every(({ text }) => /^\$SYS(\/|$)/.test(text))
  )
    found.push('nobody can publish to $SYS, whatever is allowed');
  return found.map((message) => ({
    place: rule.place,
    message: `this rule never applies: ${message}`,
    hint: 'mend it, or take it out',
  }));
}

/** What the rule asks of an anonymous client that it cannot have. */
function nameless({ subject, topics, clientIds }: Rule): string | undefined {
  if (subject.tests.some(({ fact }) => fact === 'username')) return 'user name';
  const patterns = [...topics.map(({ levels }) => levels.flatMap(variablesOf)), ...clientIds.map(variablesIn)];
  return patterns.length > 0 && patterns.every((used) => used.includes('username')) ? `\${username}` : undefined;
}

function shadowed(rule: Rule, denying: readonly Rule[]): Finding[] {
  if (rule.effect === 'deny') return [];
  const over = denying.find((deny) => covers(deny, rule));
  if (over === undefined) return [];
  const message = `this rule never decides: ${describePlace(over)} denies all that it allows`;
  return [{ place: rule.place, message, hint: 'a rule that denies wins; narrow it, or take this one out' }];
}

/** Facts by which a client is told from others, so that a topic that holds one is its own. */
const own = /^(username|clientid|cert\.(cn|san_dns|san_uri|san_email|serial|fingerprint))$/;

/**
 * A rule that gives each of many clients a tree of its own makes its subject a kind of device. Whatever else the same
 * clients are allowed must not lead into the trees of others.
 */
function reachesFurther(rule: Rule, rules: readonly Rule[]): Finding[] {
  if (rule.effect === 'deny' || rule.topics.length === 0 || isAboutOne(rule)) return [];
  return [...chosenNames(rule, rules), ...foreignTrees(rule, rules)];
}

function foreignTrees(rule: Rule, rules: readonly Rule[]): Finding[] {
  const devices = rules.filter(({ effect, subject }) => effect === 'allow' && includesSubject(rule.subject, subject));
  const trees = devices.flatMap(({ topics }) => topics.filter(({ levels }) => levels.some(isOwn)));
  for (const topic of rule.topics) {
    if (topic.levels.some(isOwn)) continue;
    const tree = trees.find(({ levels }) => intersection(topic.text, widened(levels)) !== undefined);
    if (tree === undefined) continue;
    const message = `${topic.text} reaches into the trees of other clients, of which ${tree.text} is each one's own`;
    return [{ place: rule.place, message, hint: 'put the variable into it, or give it to fewer clients' }];
  }
  return [];
}

/** `${clientid}` names one client only if others may not take that client ID. */
function chosenNames(rule: Rule, rules: readonly Rule[]): Finding[] {
  const levels = rule.topics.flatMap((topic) => topic.levels);
  if (!levels.some((level) => variablesOf(level).includes('clientid'))) return [];
  const free = rules.find(
    (other) =>
      other.effect === 'allow' &&
      includesSubject(other.subject, rule.subject) &&
      other.clientIds.some((pattern) => !variablesIn(pattern).some((name) => name !== 'clientid' && own.test(name))),
  );
  if (free === undefined) return [];
  const message = `\${clientid} is what the client calls itself: ${describePlace(free)} lets it take the client ID of another`;
  return [
    { place: rule.place, message, hint: `use \${username}, or bind client IDs to it: clientids: ["\${username}:*"]` },
  ];
}

function isOwn(level: readonly string[]): boolean {
  return variablesOf(level).some((variable) => own.test(variable));
}

function widened(levels: readonly (readonly string[])[]): string {
  return levels.map((level) => (level.length > 1 ? '+' : level[0])).join('/');
}

/** A rule about clients that are named one by one is no rule for devices. */
function isAboutOne({ subject }: Rule): boolean {
  return subject.tests.some(
    ({ fact, patterns }) =>
      (own.test(fact) || fact === 'clientid') && patterns.every(({ after }) => after === undefined),
  );
}
