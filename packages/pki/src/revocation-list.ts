import type { Authority } from './authority.js';
import { parseCertificate } from './certificate.js';
import { readCertificate } from './certificate-content.js';
import { Tag } from './der.js';
import { element, extension, integer, pem, time } from './der-writer.js';
import { keyIdentifierOf } from './key-identifier.js';
import { algorithmIdentifier, signedSequence } from './signed.js';

/** Why a certificate was revoked, with its CRLReason: those of RFC 5280 §5.3.1 that fit a device or a server. */
export const REASON_CODES = {
  privilegeWithdrawn: 9,
  keyCompromise: 1,
  superseded: 4,
  cessationOfOperation: 5,
} as const;
export type RevocationReason = keyof typeof REASON_CODES;
export const REVOCATION_REASONS = Object.keys(REASON_CODES) as readonly RevocationReason[];

export interface RevokedCertificate {
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
}

export interface RevocationListOptions {
  readonly now: Date;
  /** When those who check must have fetched a newer list: afterwards OpenSSL, and so Node, refuses everyone. */
  readonly nextUpdate: Date;
  /** Grows with every list that an authority signs (RFC 5280 §5.2.3), from 0. */
  readonly number: number;
}

/** id-ce-cRLReasons, id-ce-cRLNumber, id-ce-authorityKeyIdentifier. */
const oid = { reason: '2.5.29.21', number: '2.5.29.20', authorityKey: '2.5.29.35' } as const;

/**
 * Signs a version 2 certificate revocation list (RFC 5280 §5) with authority key identifier and number.
 * `entries` names each serial number once. Takes time in proportion to their number.
 *
 * @returns PEM labelled `X509 CRL` (RFC 7468 §6), the one label that Node's TLS reads
 */
export function signRevocationList(
  { certificate, privateKey }: Authority,
  entries: readonly RevokedCertificate[],
  { now, nextUpdate, number }: RevocationListOptions,
): string {
  const issuer = readCertificate(parseCertificate(certificate).raw);
  const keyIdentifier = element(Tag.sequence, element(0x80, keyIdentifierOf(issuer)));
  const extensions = [extension(oid.authorityKey, keyIdentifier), extension(oid.number, integer(number.toString(16)))];
  // Never an empty sequence (RFC 5280 §5.1.2.6).
  const revoked = entries.length === 0 ? [] : [element(Tag.sequence, Buffer.concat(entries.map(entry)))];
  const body = element(
    Tag.sequence,
    integer('1'), // version 2
    algorithmIdentifier(privateKey),
    issuer.subject.der,
    time(now),
    time(nextUpdate),
    ...revoked,
    element(0xa0, element(Tag.sequence, ...extensions)),
  );
  return pem('X509 CRL', signedSequence(body, privateKey));
}

function entry({ serialNumber, revokedAt, reason }: RevokedCertificate): Buffer {
  const code = element(Tag.enumerated, Buffer.of(REASON_CODES[reason]));
  const extensions = element(Tag.sequence, extension(oid.reason, code));
  return element(Tag.sequence, integer(serialNumber), time(revokedAt), extensions);
}
