import { type BlockList, isIPv6 } from 'node:net';
import { type Subject, valuesOf } from './facts.js';
import { matchesText, type TextPattern } from './text-pattern.js';

/** One thing that must hold of a client: some value of the fact matches some pattern. */
export interface FactTest {
  readonly fact: string;
  readonly patterns: readonly TextPattern[];
}

/** Whom a rule is about: a client that passes every test. */
export interface SubjectPattern {
  readonly tests: readonly FactTest[];
  /** It must come from within each. */
  readonly addresses: readonly BlockList[];
}

export const everybody: SubjectPattern = { tests: [], addresses: [] };

export function isEverybody({ tests, addresses }: SubjectPattern): boolean {
  return tests.length + addresses.length === 0;
}

/** Whether a rule is about this client. A client that has no value for a fact passes no test of it. */
export function subjectMatches({ tests, addresses }: SubjectPattern, subject: Subject): boolean {
  return tests.every((test) => testHolds(test, subject)) && addresses.every((list) => holds(list, subject.address));
}

/** Whether an address is in a list. */
export function holds(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

export function testHolds({ fact, patterns }: FactTest, subject: Subject): boolean {
  return valuesOf(subject, fact).some((value) => patterns.some((pattern) => matchesText(pattern, value)));
}

/** Whoever is meant by both. */
export function both(one: SubjectPattern, other: SubjectPattern): SubjectPattern {
  if (isEverybody(one)) return other;
  if (isEverybody(other)) return one;
  return { tests: [...one.tests, ...other.tests], addresses: [...one.addresses, ...other.addresses] };
}
