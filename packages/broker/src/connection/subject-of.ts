import type { CertificateFacts, Principal } from '../identity/principal.js';
import type { CertificateNames, Subject } from '../policy/facts.js';

/** Where a client comes in. */
export interface Entrance {
  readonly address: string;
  readonly listener: string;
  readonly tls: boolean;
}

/** A client as a policy sees it. */
export function subjectOf(principal: Principal, clientId: string, entrance: Entrance): Subject {
  const { certificate } = principal;
  return { ...principal, clientId, certificate: certificate && namesOf(certificate), ...entrance };
}

function namesOf({ names, subject, issuer, serialNumber, fingerprint }: CertificateFacts): CertificateNames {
  return { ...names, subject, issuer, serial: serialNumber, fingerprint };
}
