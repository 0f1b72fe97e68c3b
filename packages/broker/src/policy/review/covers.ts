import type { Conditions, Setting } from '../conditions.js';
import { canBeSeveral } from '../facts.js';
import { filterIsSubset } from '../filter.js';
import type { Rule } from '../rule.js';
import type { FactTest, SubjectPattern } from '../subject.js';
import { commonPattern, matchesText, type TextPattern } from '../text-pattern.js';

/** Whether a rule applies, as far as can be told from their texts alone, wherever another does. */
export function covers(rule: Rule, other: Rule): boolean {
  return (
    [...other.actions].every((action) => rule.actions.has(action)) &&
    includesSubject(rule.subject, other.subject) &&
    other.topics.every(({ text }) => rule.topics.some((topic) => includesPattern(topic.text, text))) &&
    other.clientIds.every(({ text }) => rule.clientIds.some((ids) => ids.text === '*' || ids.text === text)) &&
    asksNoMore(rule.conditions, rule.setting, other)
  );
}

/** Whether whoever passes `inner` passes `outer`, too. Ranges of addresses are not looked into. */
export function includesSubject(outer: SubjectPattern, inner: SubjectPattern): boolean {
  return (
    outer.addresses.every((list) => inner.addresses.includes(list)) &&
    outer.tests.every((test) => inner.tests.some((given) => includesTest(test, given)))
  );
}

function includesTest(outer: FactTest, inner: FactTest): boolean {
  return (
    outer.fact === inner.fact &&
    inner.patterns.every((pattern) => outer.patterns.some((wider) => includesText(wider, pattern)))
  );
}

function includesText(outer: TextPattern, inner: TextPattern): boolean {
  if (inner.after === undefined) return matchesText(outer, inner.before);
  return outer.after !== undefined && inner.before.startsWith(outer.before) && inner.after.endsWith(outer.after);
}

/** A level with variables is a text that only the same text, `+` and `#` include. */
function includesPattern(outer: string, inner: string): boolean {
  // What a variable stands for never begins with `$`, so a wildcard takes it in as a first level, too.
  const opaque = (text: string) => text.replaceAll('${', '\u0000{');
  return filterIsSubset(opaque(inner), opaque(outer));
}

function asksNoMore(conditions: Conditions, setting: Setting, other: Rule): boolean {
  const same = (one: unknown, another: unknown) =>
    one === undefined || JSON.stringify(plain(one)) === JSON.stringify(plain(another));
  const { qos, retain, payloadSize, sealed } = other.conditions;
  return (
    same(conditions.qos, qos) &&
    same(conditions.retain, retain) &&
    same(conditions.payloadSize, payloadSize) &&
    same(conditions.sealed, sealed) &&
    same(setting.tls, other.setting.tls) &&
    same(setting.hours, other.setting.hours)
  );
}

function plain(value: unknown): unknown {
  return value instanceof Set ? [...value].sort() : value;
}

/** Whether no client passes both tests: none can be of a fact that may have several values. */
export function excludes(one: FactTest, other: FactTest): boolean {
  if (one.fact !== other.fact || canBeSeveral(one.fact)) return false;
  return !one.patterns.some((a) => other.patterns.some((b) => commonPattern(a, b) !== undefined));
}
