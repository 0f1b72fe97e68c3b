import { type BlockList, isIPv6 } from 'node:net';
import type { CertificateFacts } from '../identity/principal.js';
import { matchesText, type TextPattern } from './text-pattern.js';

/** What a policy knows of a connected client. */
export interface Subject {
  /** Undefined for an anonymous client. */
  readonly username: string | undefined;
  readonly clientId: string;
  /** How its identity was proven. */
  readonly method: 'password' | 'certificate' | 'psk' | 'anonymous';
  readonly certificate?: CertificateFacts | undefined;
  /** IP address that it comes from. */
  readonly address: string;
  /** Protocol and port by which it came in, such as `mqtts:8883`. */
  readonly listener: string;
}

/** Whom a rule is about: a client that satisfies every field that is given, each by any one of its entries. */
export interface SubjectPattern {
  readonly username?: readonly TextPattern[];
  readonly clientid?: readonly TextPattern[];
  /** User names of the groups named. */
  readonly group?: ReadonlySet<string>;
  readonly method?: ReadonlySet<string>;
  readonly address?: BlockList;
  readonly listener?: readonly TextPattern[];
}

/** Whether a rule is about this client. A client without user name has no user name that could match. */
export function subjectMatches(pattern: SubjectPattern, subject: Subject): boolean {
  const { username, clientId, method, address, listener } = subject;
  return (
    (pattern.username === undefined || (username !== undefined && anyMatches(pattern.username, username))) &&
    (pattern.clientid === undefined || anyMatches(pattern.clientid, clientId)) &&
    (pattern.group === undefined || (username !== undefined && pattern.group.has(username))) &&
    (pattern.method === undefined || pattern.method.has(method)) &&
    (pattern.address === undefined || pattern.address.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) &&
    (pattern.listener === undefined || anyMatches(pattern.listener, listener))
  );
}

function anyMatches(patterns: readonly TextPattern[], text: string): boolean {
  return patterns.some((pattern) => matchesText(pattern, text));
}
