import { intersection } from '../filter.js';
import type { ClientIdPattern, TopicPattern } from '../object.js';
import type { Rule } from '../rule.js';
import type { FactTest } from '../subject.js';
import type { Template } from '../template.js';
import { exactly } from '../text-pattern.js';

/** More pairs of topics than anybody wants to wait for. */
const maxPairs = 500_000;

/**
 * Whom rules name by a topic of their own: where one rule is on `devices/${username}/#` and another on `devices/pump-7/key`,
 * the user pump-7; so with client IDs. It is these that both rules are about.
 * @returns tests for each rule, and whether all were found
 */
export function ownersNamed(rules: readonly Rule[]): { found: Map<Rule, FactTest[]>; complete: boolean } {
  const topics = unique(rules.flatMap((rule) => rule.topics));
  const clientIds = unique(rules.flatMap((rule) => rule.clientIds));
  const found = new Map<Rule, FactTest[]>();
  let pairs = 0;
  for (const rule of rules) {
    const variable = rule.topics.filter(({ levels }) => levels.some(isVariable));
    pairs += variable.length * topics.length + rule.clientIds.length * clientIds.length;
    if (pairs > maxPairs) return { found, complete: false };
    const tests = [
      ...variable.flatMap((topic) => topics.flatMap((other) => ownersOf(topic, other))),
      ...rule.clientIds.flatMap((pattern) => clientIds.flatMap((other) => ownerOf(pattern.before, other.before[0]))),
    ];
    if (tests.length > 0) found.set(rule, tests);
  }
  return { found, complete: true };
}

function unique<T extends TopicPattern | ClientIdPattern>(patterns: readonly T[]): T[] {
  return [...new Map(patterns.map((pattern) => [pattern.text, pattern])).values()];
}

function isVariable(level: Template): boolean {
  return level.length > 1;
}

function ownersOf(topic: TopicPattern, other: TopicPattern): FactTest[] {
  if (topic === other || intersection(widened(topic), widened(other)) === undefined) return [];
  return topic.levels.flatMap((level, index) => {
    const [text, ...more] = other.levels[index] ?? [];
    return more.length > 0 || text === '+' || text === '#' ? [] : ownerOf(level, text);
  });
}

function widened({ levels }: TopicPattern): string {
  return levels.map((level) => (isVariable(level) ? '+' : level[0])).join('/');
}

/** The client for which a template of one variable begins as a text does. */
function ownerOf([before = '', fact, after = '', ...more]: Template, text = ''): FactTest[] {
  if (fact === undefined || more.length > 0 || !text.startsWith(before)) return [];
  const end = after === '' ? text.length : text.indexOf(after, before.length);
  return end <= before.length ? [] : [{ fact, patterns: [exactly(text.slice(before.length, end))] }];
}
