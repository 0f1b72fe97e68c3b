import { BlockList } from 'node:net';
import { type AddressRange, isVersion6 } from '../../guard/address.js';
import type { Policy } from '../compile.js';
import { variablesIn } from '../object.js';
import type { Rule } from '../rule.js';
import { both, everybody, type FactTest, type SubjectPattern } from '../subject.js';
import { variablesOf } from '../template.js';
import { exactly } from '../text-pattern.js';
import { excludes } from './covers.js';
import { describeSubject, rangesOf } from './describe.js';
import { ownersNamed } from './own-topics.js';

/** Some clients, in words. */
interface Kind {
  readonly who: string;
  /** The same without any `or`: together they are the kind. */
  readonly cases: readonly SubjectPattern[];
  /** The wider kinds that it is part of, in words. */
  readonly parts: ReadonlySet<string>;
}

interface Kinds {
  /** Wider ones come first. */
  readonly kinds: readonly Kind[];
  /** False when some were left out. */
  readonly complete: boolean;
}

const maxKinds = 4_000;
const maxPairs = 1_800;

/** Clients of every kind that a policy speaks of, each of the alternatives in it alone, and two kinds in one. */
export function kindsOf(policies: readonly Policy[]): Kinds {
  const general = describeSubject(everybody);
  const found = new Map<string, { who: string; cases: readonly SubjectPattern[]; parts: Set<string> }>();
  let complete = true;
  const add = (pattern: SubjectPattern, parts: readonly string[] = []): void => {
    const who = describeSubject(pattern);
    const known = found.get(who);
    const cases = known?.cases ?? casesOf(pattern);
    complete &&= cases.length <= maxKinds && (known !== undefined || found.size < maxKinds);
    if (known === undefined && found.size < maxKinds) {
      const all = new Set(who === general ? [] : [general]);
      found.set(who, { who, cases: cases.slice(0, maxKinds), parts: all });
    }
    for (const part of parts) if (part !== who) found.get(who)?.parts.add(part);
    if (cases.length > 1) for (const one of cases.slice(0, maxKinds)) add(one, [who, ...parts]);
  };
  add(everybody);
  const members = membersOf(policies);
  for (const [group, patterns] of members) {
    add(named(group));
    for (const pattern of patterns) add(pattern);
  }
  const owners = ownersNamed(policies.flatMap(({ rules }) => rules));
  complete &&= owners.complete;
  for (const { rules } of policies) {
    for (const rule of rules) {
      add(rule.subject);
      const asked = withVariables(rule);
      add(asked);
      for (const test of owners.found.get(rule) ?? []) add(both(rule.subject, about(test)));
      for (const one of casesOf(asked).slice(0, maxKinds))
        for (const inside of insteadOfGroups(one, members)) add(inside, [describeSubject(one)]);
    }
  }
  const wide = [...found.values()].filter(({ cases }) => cases.length !== 1);
  const single = [...found.values()].filter(({ cases }) => cases.length === 1);
  single.sort((one, other) => Math.min(one.parts.size, 2) - Math.min(other.parts.size, 2));
  const pairs = pairsOf(single.filter(({ who }) => who !== general));
  return {
    kinds: [...single.slice(0, 1), ...wide, ...single.slice(1), ...pairs.slice(0, maxPairs)],
    complete: complete && pairs.length <= maxPairs,
  };
}

/** At most one more than there may be. */
function pairsOf(single: readonly Kind[]): Kind[] {
  const pairs: Kind[] = [];
  for (const [index, one] of single.entries()) {
    for (const other of single.slice(index + 1)) {
      const [first, second] = [one.cases[0] ?? everybody, other.cases[0] ?? everybody];
      if (first.tests.some((test) => second.tests.some((another) => excludes(test, another)))) continue;
      const pattern = both(first, second);
      const parts = new Set([one.who, other.who, ...one.parts, ...other.parts]);
      pairs.push({ who: describeSubject(pattern), cases: [pattern], parts });
      if (pairs.length > maxPairs) return pairs;
    }
  }
  return pairs;
}

function casesOf({ tests, addresses }: SubjectPattern): SubjectPattern[] {
  let cases = [everybody];
  const choose = (alternatives: readonly SubjectPattern[]): void => {
    if (cases.length <= maxKinds) cases = cases.flatMap((one) => alternatives.map((other) => both(one, other)));
  };
  for (const { fact, patterns } of tests) choose(patterns.map((pattern) => about({ fact, patterns: [pattern] })));
  for (const list of addresses) choose(rangesOf(list).map((range) => ({ tests: [], addresses: [listOf(range)] })));
  return cases;
}

/** A group by what makes a client a member of it: who is in it by one policy need not be by the other. */
function insteadOfGroups(
  { tests, addresses }: SubjectPattern,
  members: ReadonlyMap<string, readonly SubjectPattern[]>,
): SubjectPattern[] {
  let found: SubjectPattern[] = [{ tests: [], addresses }];
  for (const test of tests) {
    const [group] = test.patterns;
    const inside = test.fact === 'group' && group !== undefined ? (members.get(group.before) ?? []) : [];
    found = found.flatMap((one) => [about(test), ...inside].map((other) => both(one, other)));
    if (found.length > maxKinds) break;
  }
  return found.slice(1);
}

function membersOf(policies: readonly Policy[]): Map<string, SubjectPattern[]> {
  const members = new Map<string, SubjectPattern[]>();
  for (const { text } of policies)
    for (const group of text.groups) members.set(group.name, [...(members.get(group.name) ?? []), ...group.members]);
  return members;
}

/** Whom a rule can mean anything for: a client that has the values of its variables. */
function withVariables({ subject, topics, clientIds }: Rule): SubjectPattern {
  const used = [...topics.flatMap(({ levels }) => levels.flatMap(variablesOf)), ...clientIds.flatMap(variablesIn)];
  const asked = new Set(subject.tests.map(({ fact }) => fact));
  const missing = [...new Set(used)].filter((fact) => /^(cert|claims)\./.test(fact) && !asked.has(fact));
  return missing.reduce(
    (pattern, fact) => both(pattern, about({ fact, patterns: [{ before: '', after: '' }] })),
    subject,
  );
}

function named(group: string): SubjectPattern {
  return about({ fact: 'group', patterns: [exactly(group)] });
}

function about(test: FactTest): SubjectPattern {
  return { tests: [test], addresses: [] };
}

function listOf({ network, prefix }: AddressRange): BlockList {
  const list = new BlockList();
  list.addSubnet(network, prefix, isVersion6(network) ? 'ipv6' : 'ipv4');
  return list;
}
