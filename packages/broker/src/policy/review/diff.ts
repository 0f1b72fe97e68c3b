import type { Policy } from '../compile.js';
import type { Circumstances } from '../conditions.js';
import type { BoundPolicy } from '../decide.js';
import type { Subject } from '../facts.js';
import { filterIsSubset, intersection } from '../filter.js';
import { bindClientId, bindTopic } from '../object.js';
import { type Action, actions } from '../rule.js';
import { type SubjectPattern, subjectMatches } from '../subject.js';
import { commonPattern, writePattern } from '../text-pattern.js';
import { type Variety, varietyOf } from './circumstances.js';
import { describeSubject } from './describe.js';
import { kindsOf } from './kinds.js';
import { sampleOf, unnamed, withoutSamples } from './sample.js';

/** What some clients may do by one policy and not by the other. */
export interface Change {
  /** In words. */
  readonly who: string;
  readonly kind: 'gains' | 'loses';
  readonly action: Action;
  /** Filters, or client IDs for `connect`; the widest that changed. */
  readonly targets: readonly string[];
}

/** What changes, and whether everything was looked at. */
export interface Comparison {
  readonly changes: readonly Change[];
  /** False when the policies are so large that some clients or topics were left out. */
  readonly complete: boolean;
}

const maxFilters = 300;

/** What changes, by kind and action: `gains publish`. */
type Changes = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Who gains and who loses what. Asked are clients of every kind that either policy speaks of, alone and two kinds in
 * one, at every hour and in all circumstances that rules tell apart; and for each of them every filter of the rules about
 * it and what any of these have in common: between these filters no answer can differ.
 */
export function compare(before: Policy, after: Policy, now = Date.now()): Comparison {
  const policies = [before, after];
  const { kinds, complete: hasAllKinds } = kindsOf(policies);
  const variety = varietyOf(before, after, now);
  const ranges = policies.flatMap(({ rules, text }) =>
    [...rules.map(({ subject }) => subject), ...text.groups.flatMap(({ members }) => members)].flatMap(
      ({ addresses }) => addresses,
    ),
  );
  let complete = hasAllKinds && variety.complete;
  const known = new Map<string, Changes>();
  const changesFor = (pattern: SubjectPattern): Changes => {
    const who = describeSubject(pattern);
    const settled = known.get(who);
    if (settled !== undefined) return settled;
    const found = new Map<string, Set<string>>();
    for (const tls of variety.tls) {
      const subject = { ...sampleOf(pattern, ranges), tls };
      for (const moment of variety.moments) {
        const pair = { before: before.bind(subject, moment), after: after.bind(subject, moment) };
        const filters = filtersAbout(subject, pair, policies);
        complete &&= filters.length < maxFilters;
        for (const { kind, action, target } of changesOf(pair, filters, policies, variety)) {
          const key = `${kind} ${action}`;
          found.set(key, (found.get(key) ?? new Set()).add(withoutSamples(target)));
        }
      }
    }
    known.set(who, found);
    return found;
  };
  const found: Change[] = [];
  for (const { who, cases, parts } of kinds) {
    for (const [key, targets] of inAll(cases.map(changesFor))) {
      const [kind, action] = key.split(' ') as [Change['kind'], Action];
      // What a wider kind gains or loses need not be told again.
      const wider = found.filter((change) => parts.has(change.who) && change.kind === kind && change.action === action);
      const told = wider.flatMap((change) => change.targets);
      const news = [...targets].filter((target) => !told.some((known) => includes(action, known, target)));
      if (news.length > 0) found.push({ who, kind, action, targets: widest(action, news) });
    }
  }
  return { changes: found, complete };
}

/** What all of some clients gain or lose. */
function inAll([first, ...others]: readonly Changes[]): Changes {
  const common = new Map<string, Set<string>>();
  for (const [key, targets] of first ?? []) {
    const all = [...targets].filter((target) => others.every((other) => other.get(key)?.has(target)));
    if (all.length > 0) common.set(key, new Set(all));
  }
  return common;
}

interface Pair {
  readonly before: BoundPolicy;
  readonly after: BoundPolicy;
}

/** The filters of all rules about a client, with all that they have in common. */
function filtersAbout(subject: Subject, { before, after }: Pair, policies: readonly Policy[]): string[] {
  const filters = new Set<string>(['#']);
  for (const { rules } of policies) {
    for (const rule of rules) {
      if (![before, after].some((bound) => subjectMatches(rule.subject, bound.subject))) continue;
      for (const topic of rule.topics) for (const filter of bindTopic(topic, subject)) filters.add(filter);
    }
  }
  for (const one of filters) {
    for (const other of [...filters]) {
      if (filters.size >= maxFilters) return [...filters];
      const common = intersection(one, other);
      if (common !== undefined) filters.add(common);
    }
  }
  return [...filters];
}

interface Found {
  readonly kind: Change['kind'];
  readonly action: Action;
  readonly target: string;
}

function changesOf(
  { before, after }: Pair,
  filters: readonly string[],
  policies: readonly Policy[],
  variety: Variety,
): Found[] {
  // A level below the deepest: what `#` matches there, `+` does not.
  const depth = 1 + Math.max(...filters.map((filter) => filter.split('/').length));
  const clientIds = clientIdsOf(policies, before.subject);
  return actions.flatMap((action) =>
    (action === 'connect' ? clientIds : filters).flatMap((target) => {
      const kinds = new Set<Change['kind']>();
      for (const [asked, circumstances] of questionsOf(action, target, depth, variety)) {
        const was = before.decide(action, asked, circumstances).allowed;
        if (was !== after.decide(action, asked, circumstances).allowed) kinds.add(was ? 'loses' : 'gains');
      }
      return [...kinds].map((kind) => ({ kind, action, target }));
    }),
  );
}

/** What to ask about a filter: itself, or topics of it that lie in no narrower one. */
function questionsOf(
  action: Action,
  target: string,
  depth: number,
  { publish, subscribe }: Variety,
): [string, Circumstances][] {
  const plain: Circumstances = { qos: 0, retain: false, payloadSize: 0, sealed: 'none' };
  if (action === 'connect') return [[target, plain]];
  if (action === 'subscribe') return subscribe.map((circumstances) => [target, circumstances]);
  const varied = action === 'receive' ? [plain] : publish;
  return topicsOf(target, depth).flatMap((topic) =>
    varied.map((circumstances): [string, Circumstances] => [topic, circumstances]),
  );
}

function topicsOf(filter: string, depth: number): string[] {
  const levels = filter.split('/').map((level) => (level === '+' ? unnamed : level));
  if (levels.at(-1) !== '#') return [levels.join('/')];
  levels.pop();
  const topics: string[] = [];
  for (; levels.length <= depth; levels.push(unnamed)) if (levels.length > 0) topics.push(levels.join('/'));
  return topics;
}

/** One for each pattern, and for what any two have in common. */
function clientIdsOf(policies: readonly Policy[], subject: Subject): string[] {
  const patterns = policies.flatMap(({ rules }) => rules.flatMap(({ clientIds }) => clientIds));
  const bound = [...new Set(patterns)].flatMap((pattern) => bindClientId(pattern, subject));
  const wide = [...new Map(bound.filter(({ after }) => after !== undefined).map((one) => [writePattern(one), one]))];
  const common = wide
    .slice(0, maxFilters)
    .flatMap(([, one], index) =>
      wide.slice(index + 1, maxFilters).flatMap(([, other]) => commonPattern(one, other) ?? []),
    );
  return [
    ...new Set([
      unnamed,
      ...[...bound, ...common].map(({ before, after }) => (after === undefined ? before : before + unnamed + after)),
    ]),
  ];
}

/** Those that no other includes. */
function widest(action: Action, targets: readonly string[]): string[] {
  return targets.filter((target) => !targets.some((other) => other !== target && includes(action, other, target)));
}

function includes(action: Action, wider: string, target: string): boolean {
  if (action !== 'connect') return filterIsSubset(target, wider);
  return wider === target || wider === '*';
}
