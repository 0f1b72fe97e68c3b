import { type CertificateFacts, type Principal, principalOfKey } from '../identity/principal.js';
import type { CertificateNames, Subject } from '../policy/facts.js';

/** Where a client comes in. */
export interface Entrance {
  readonly address: string;
  readonly listener: string;
  readonly tls: boolean;
}

/** A client as a policy sees it. */
export function subjectOf(principal: Principal, clientId: string, entrance: Entrance): Subject {
  const { username, method, groups, claims, certificate } = principal;
  const { address, listener, tls } = entrance;
  const names = certificate && namesOf(certificate);
  // Of one shape for all, and each field by its name: a copy by spreading takes a microsecond.
  return { username, clientId, method, groups, claims, certificate: names, address, listener, tls };
}

/** A client that is away, of which no more is known than its names: `owner` is the key of its principal. */
export function absentSubject(owner: string, clientId: string): Subject {
  return subjectOf(principalOfKey(owner), clientId, { address: '0.0.0.0', listener: '', tls: false });
}

function namesOf({ names, subject, issuer, serialNumber, fingerprint }: CertificateFacts): CertificateNames {
  return { ...names, subject, issuer, serial: serialNumber, fingerprint };
}
