import { X509Certificate } from 'node:crypto';
import { SocketAddress } from 'node:net';
import { PkiError } from './errors.js';

/** One subject alternative name; `type` is `dns`, `ip`, `uri`, `email`, or OpenSSL's word for a rarer kind. */
export interface AlternativeName {
  readonly type: string;
  readonly value: string;
}

/** What a certificate says, as plain data. */
export interface CertificateDescription {
  /** `CN=pump-7`, with RFC 4514 escapes; several attributes are joined by a comma and a space. */
  readonly subject: string;
  readonly issuer: string;
  /** The first common name of the subject, without escapes. */
  readonly commonName: string | undefined;
  /** Lower-case hexadecimal, no separators. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly alternativeNames: readonly AlternativeName[];
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
}

/**
 * Reads the first certificate of a PEM text (RFC 7468 §5). Checks no signature and no date.
 *
 * @throws PkiError `pki.invalid_file` if it is none
 */
export function describeCertificate(pem: string): CertificateDescription {
  const certificate = parseCertificate(pem);
  const commonName: string | string[] | undefined = certificate.toLegacyObject().subject.CN;
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    commonName: typeof commonName === 'object' ? commonName[0] : commonName,
    serialNumber: certificate.serialNumber.toLowerCase(),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    alternativeNames: [...alternativeNames(certificate.subjectAltName ?? '')],
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/**
 * Whether less than a third of a certificate's life is left at `now`: time enough to notice that a renewal failed.
 *
 * @throws PkiError `pki.invalid_file` if `pem` is no certificate
 */
export function needsRenewal(pem: string, now: Date): boolean {
  const { notBefore, notAfter } = describeCertificate(pem);
  return notAfter.getTime() - now.getTime() < (notAfter.getTime() - notBefore.getTime()) / 3;
}

/** @throws PkiError `pki.invalid_file` */
export function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new PkiError('pki.invalid_file', 'not a certificate in PEM', { cause });
  }
}

const TYPES: Readonly<Record<string, string>> = { DNS: 'dns', 'IP Address': 'ip', URI: 'uri', email: 'email' };

/** Takes Node's one line apart; a value that could be mistaken for a separator is a JSON string there. */
function* alternativeNames(line: string): Generator<AlternativeName> {
  for (const [, label = '', text = ''] of line.matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)) {
    const type = TYPES[label] ?? label;
    const value = text.startsWith('"') ? String(JSON.parse(text)) : text;
    yield { type, value: type === 'ip' && value.includes(':') ? compressed(value) : value };
  }
}

/** The usual form of an IPv6 address, `::1`, where OpenSSL prints every group. */
function compressed(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
