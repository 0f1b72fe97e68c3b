import type { BlockList } from 'node:net';
import { addressesIn } from '../../guard/address.js';
import { type CertificateField, canBeSeveral, type Subject, valuesOf } from '../facts.js';
import { holds, type SubjectPattern } from '../subject.js';
import { commonPattern, type TextPattern } from '../text-pattern.js';
import { rangesOf } from './describe.js';

/** A text that no policy names, for a level of a topic and for what a `*` stands for. */
export const unnamed = '~';

const samples = /~(username|clientid|cert\.\w+|claims\.[^~/]+)~/g;

/** A text made of these as a person would write it. */
export function withoutSamples(text: string): string {
  return text.replace(samples, `\${$1}`).replaceAll(unnamed, '*');
}

const nobody: Subject = {
  username: '~username~',
  clientId: '~clientid~',
  method: 'password',
  address: '192.0.2.1',
  listener: 'mqtts:8883',
  tls: true,
};

/** Addresses for whoever may come from anywhere. */
const anywhere = ['192.0.2.1', '198.51.100.7', '2001:db8::7'];

/**
 * A client that a pattern is about, and that is as little else as can be.
 * @param ranges all that the policies name
 */
export function sampleOf({ tests, addresses }: SubjectPattern, ranges: readonly BlockList[]): Subject {
  let subject: Subject = { ...nobody, address: addressOf(addresses, ranges) };
  const patterns = new Map<string, TextPattern>();
  for (const { fact, patterns: alternatives } of tests) {
    const [pattern] = alternatives;
    if (pattern === undefined) continue;
    if (canBeSeveral(fact)) subject = withValue(subject, fact, textOf(fact, pattern));
    else patterns.set(fact, commonPattern(patterns.get(fact) ?? pattern, pattern) ?? pattern);
  }
  for (const [fact, pattern] of patterns)
    subject = { ...subject, [fact === 'clientid' ? 'clientId' : fact]: textOf(fact, pattern) };
  return subject;
}

function textOf(fact: string, { before, after }: TextPattern): string {
  if (after === undefined) return before;
  const isAny = before + after === '' && withoutSamples(`~${fact}~`) === `\${${fact}}`;
  return isAny ? `~${fact}~` : before + unnamed + after;
}

function withValue(subject: Subject, fact: string, value: string): Subject {
  const values = [...new Set([...valuesOf(subject, fact), value])];
  if (fact === 'group') return { ...subject, groups: values };
  if (fact === 'scope') return { ...subject, scopes: values };
  if (fact.startsWith('claims.'))
    return { ...subject, claims: { ...subject.claims, [fact.slice('claims.'.length)]: values } };
  const field = fact.slice('cert.'.length) as CertificateField;
  return { ...subject, certificate: { ...subject.certificate, [field]: values } };
}

/** One in all of the lists, and in as few other ranges as can be. */
function addressOf(lists: readonly BlockList[], ranges: readonly BlockList[]): string {
  const inside = lists.flatMap(rangesOf).flatMap(addressesIn);
  const counted = [...inside, ...(lists.length === 0 ? anywhere : [])].map((address) => ({
    address,
    missed: countOf(lists, (list) => !holds(list, address)),
    met: countOf(ranges, (list) => holds(list, address)),
  }));
  counted.sort((one, other) => one.missed - other.missed || one.met - other.met);
  return counted[0]?.address ?? nobody.address;
}

function countOf<T>(all: readonly T[], test: (one: T) => boolean): number {
  return all.filter(test).length;
}
