import { webcrypto } from 'node:crypto';
import type { Authority } from './authority.js';
import { integer } from './der-writer.js';
import { signerOf } from './signature-algorithm.js';
import { loadX509 } from './x509.js';

/** Why a certificate was revoked: those of RFC 5280 §5.3.1 that fit the certificate of a device or a server. */
export const REVOCATION_REASONS = [
  'privilegeWithdrawn',
  'keyCompromise',
  'superseded',
  'cessationOfOperation',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

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

/**
 * Signs a version 2 certificate revocation list (RFC 5280 §5) with authority key identifier and number.
 * `entries` names each serial number once.
 *
 * @returns PEM labelled `X509 CRL` (RFC 7468 §6), the one label that Node's TLS reads
 */
export async function signRevocationList(
  authority: Authority,
  entries: readonly RevokedCertificate[],
  options: RevocationListOptions,
): Promise<string> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certificate);
  const list = await x509.X509CrlGenerator.create(
    {
      issuer: issuer.subjectName,
      thisUpdate: options.now,
      nextUpdate: options.nextUpdate,
      ...(await signerOf(authority.privateKey)),
      entries: entries.map(({ serialNumber, revokedAt, reason }) => ({
        serialNumber,
        revocationDate: revokedAt,
        reason: x509.X509CrlReason[reason],
      })),
      extensions: [
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
        new x509.Extension(CRL_NUMBER, false, integer(options.number.toString(16))),
      ],
    },
    webcrypto,
  );
  return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`; // so that files can be joined
}

/** id-ce-cRLNumber. */
const CRL_NUMBER = '2.5.29.20';
