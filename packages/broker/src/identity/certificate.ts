import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type Authenticator, notMine, type Verdict } from './authenticator.js';
import type { CertificateFacts } from './principal.js';
import { usernameProblem } from './username.js';

/** What the handshake found out about the client's certificate. */
export type CertificateStatus =
  | { readonly kind: 'none' }
  | { readonly kind: 'verified'; readonly facts: CertificateFacts }
  | { readonly kind: 'invalid'; readonly reason: string };

const none: CertificateStatus = { kind: 'none' };

/** Reads the verified certificate of a TLS connection. */
export function certificateOf(tls: TLSSocket | undefined): CertificateStatus {
  if (tls === undefined) return none;
  const certificate = tls.getPeerX509Certificate();
  if (certificate === undefined) return none;
  if (!tls.authorized) return { kind: 'invalid', reason: String(tls.authorizationError ?? 'not verified') };
  return { kind: 'verified', facts: factsOf(certificate) };
}

/** Takes the user name from the common name of a verified certificate; only asked where the operator wants that. */
export const certificateAuthenticator: Authenticator = {
  authenticate({ certificate }): Verdict {
    if (certificate === undefined) return notMine;
    if (certificate.commonName === undefined) return { denied: 'certificate_without_name' };
    return { principal: { username: certificate.commonName, method: 'certificate', certificate } };
  },
};

function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    commonName: commonNameOf(certificate),
    subject: certificate.subject,
    issuer: certificate.issuer,
    serialNumber: certificate.serialNumber.toLowerCase(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    validTo: new Date(certificate.validTo),
  };
}

/** The one common name, if it may be a user name; two would be a trick, and count as none. */
function commonNameOf(certificate: X509Certificate): string | undefined {
  const { CN } = certificate.toLegacyObject().subject as { CN?: string | string[] };
  return typeof CN === 'string' && usernameProblem(CN) === undefined ? CN : undefined;
}
