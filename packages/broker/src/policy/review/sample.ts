import type { BlockList } from 'node:net';
import type { CertificateField, Subject } from '../facts.js';
import type { FactTest, SubjectPattern } from '../subject.js';

/** Texts that no policy names, for a level of a topic and for what a client is called. */
export const unnamed = '~';
const someUser = '~user';
const someClient = '~client';

/** A text made of these as a person would write it. */
export function withoutSamples(text: string): string {
  return text.replaceAll(someUser, `\${username}`).replaceAll(someClient, `\${clientid}`).replaceAll(unnamed, '*');
}

const nobody: Subject = {
  username: someUser,
  clientId: someClient,
  method: 'password',
  address: '192.0.2.1',
  listener: 'mqtts:8883',
  tls: true,
};

/** A client that a pattern is about, and that is as little else as can be. */
export function sampleOf({ tests, addresses }: SubjectPattern): Subject {
  let subject = nobody;
  for (const test of tests) subject = withFact(subject, test);
  for (const list of addresses) subject = { ...subject, address: firstOf(list) ?? subject.address };
  return subject;
}

function withFact(subject: Subject, { fact, patterns }: FactTest): Subject {
  const [pattern] = patterns;
  if (pattern === undefined) return subject;
  const value = pattern.after === undefined ? pattern.before : pattern.before + unnamed + pattern.after;
  if (fact === 'username' || fact === 'method' || fact === 'listener') return { ...subject, [fact]: value };
  if (fact === 'clientid') return { ...subject, clientId: value };
  if (fact === 'group') return { ...subject, groups: [...(subject.groups ?? []), value] };
  if (fact === 'scope') return { ...subject, scopes: [...(subject.scopes ?? []), value] };
  if (fact.startsWith('claims.'))
    return { ...subject, claims: { ...subject.claims, [fact.slice('claims.'.length)]: value } };
  const field = fact.slice('cert.'.length) as CertificateField;
  return { ...subject, certificate: { ...subject.certificate, [field]: value } };
}

/** The first address of a list. */
function firstOf(list: BlockList): string | undefined {
  return /IPv[46] ([\da-f.:]+)/i.exec(list.rules[0] ?? '')?.[1];
}
