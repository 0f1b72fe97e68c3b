import type { Policy } from '../compile.js';
import type { Circumstances } from '../conditions.js';
import type { BoundPolicy } from '../decide.js';
import type { Subject } from '../facts.js';
import { filterIsSubset, intersection } from '../filter.js';
import { bindClientId, bindTopic } from '../object.js';
import { type Action, actions } from '../rule.js';
import { both, everybody, type SubjectPattern, subjectMatches } from '../subject.js';
import { excludes } from './covers.js';
import { describeSubject } from './describe.js';
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

const maxKinds = 4_000;
const maxPairs = 60;
const maxFilters = 300;

/** Some clients, in words, and the wider kinds that they are part of. */
interface Kind {
  readonly who: string;
  readonly pattern: SubjectPattern;
  readonly parts: readonly string[];
}

/**
 * Who gains and who loses what. Asked are clients of every kind that either policy speaks of, alone and two kinds in
 * one, and for each of them every filter of the rules about it and what any of these have in common: between these
 * filters no answer can differ.
 */
export function compare(before: Policy, after: Policy, now = Date.now()): Comparison {
  const kinds = kindsOf(before, after);
  let complete = kinds.length <= maxKinds;
  const found: Change[] = [];
  for (const { who, pattern, parts } of kinds.slice(0, maxKinds)) {
    const sample = sampleOf(pattern);
    const changes = new Map<string, Set<string>>();
    for (const subject of [sample, { ...sample, tls: false }]) {
      const pair = { before: before.bind(subject, now), after: after.bind(subject, now) };
      const filters = filtersAbout(subject, pair, [before, after]);
      complete &&= filters.length < maxFilters;
      for (const { kind, action, target } of changesOf(pair, filters, [before, after])) {
        const key = `${kind} ${action}`;
        changes.set(key, (changes.get(key) ?? new Set()).add(withoutSamples(target)));
      }
    }
    for (const [key, targets] of changes) {
      const [kind, action] = key.split(' ') as [Change['kind'], Action];
      // What a wider kind gains or loses need not be told again.
      const wider = found.filter(
        (change) => parts.includes(change.who) && change.kind === kind && change.action === action,
      );
      const told = wider.flatMap((change) => change.targets);
      const news = [...targets].filter((target) => !told.some((known) => includes(action, known, target)));
      if (news.length > 0) found.push({ who, kind, action, targets: widest(action, news) });
    }
  }
  return { changes: found, complete };
}

interface Pair {
  readonly before: BoundPolicy;
  readonly after: BoundPolicy;
}

function kindsOf(before: Policy, after: Policy): Kind[] {
  const written = [before, after].flatMap(({ text }) => [
    ...text.groups.flatMap(({ name, members }) => [named(name), ...members]),
    ...text.rules.map(({ subject }) => subject),
  ]);
  const patterns = new Map([everybody, ...written].map((pattern) => [describeSubject(pattern), pattern]));
  const [general = describeSubject(everybody)] = patterns.keys();
  const single = [...patterns].map(([who, pattern]) => ({ who, pattern, parts: who === general ? [] : [general] }));
  if (single.length > maxPairs) return single;
  const pairs = single.slice(1).flatMap((one, index) =>
    single
      .slice(index + 2)
      .filter(
        (other) => !one.pattern.tests.some((test) => other.pattern.tests.some((another) => excludes(test, another))),
      )
      .map((other) => {
        const pattern = both(one.pattern, other.pattern);
        return { who: describeSubject(pattern), pattern, parts: [general, one.who, other.who] };
      }),
  );
  return [...single, ...pairs];
}

function named(group: string): SubjectPattern {
  return { tests: [{ fact: 'group', patterns: [{ before: group, after: undefined }] }], addresses: [] };
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

function changesOf({ before, after }: Pair, filters: readonly string[], policies: readonly Policy[]): Found[] {
  // A level below the deepest: what `#` matches there, `+` does not.
  const depth = 1 + Math.max(...filters.map((filter) => filter.split('/').length));
  const clientIds = clientIdsOf(policies, before.subject);
  return actions.flatMap((action) =>
    (action === 'connect' ? clientIds : filters).flatMap((target) => {
      const kinds = new Set<Change['kind']>();
      for (const [asked, circumstances] of questionsOf(action, target, depth)) {
        const was = before.decide(action, asked, circumstances).allowed;
        if (was !== after.decide(action, asked, circumstances).allowed) kinds.add(was ? 'loses' : 'gains');
      }
      return [...kinds].map((kind) => ({ kind, action, target }));
    }),
  );
}

/** What to ask about a filter: itself, or topics of it that lie in no narrower one. */
function questionsOf(action: Action, target: string, depth: number): [string, Circumstances][] {
  const plain: Circumstances = { qos: 0, retain: false, payloadSize: 0, sealed: 'none' };
  if (action === 'connect') return [[target, plain]];
  const flags = [0, 1, 2].flatMap((qos) => [false, true].map((retain) => ({ ...plain, qos, retain })));
  if (action === 'subscribe') return flags.map((circumstances) => [target, circumstances]);
  const varied = action === 'receive' ? [plain] : [...flags, { ...plain, payloadSize: 268_435_460 }];
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

function clientIdsOf(policies: readonly Policy[], subject: Subject): string[] {
  const patterns = policies.flatMap(({ rules }) => rules.flatMap(({ clientIds }) => clientIds));
  const bound = patterns.flatMap((pattern) => bindClientId(pattern, subject));
  return [
    ...new Set([
      unnamed,
      ...bound.map(({ before, after }) => (after === undefined ? before : before + unnamed + after)),
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
