import { createHash } from 'node:crypto';
import type { CertificateContent } from './certificate-content.js';
import { type DerCursor, objectIdentifier, serialNumber, Tag } from './der.js';
import { element, identifier, integer } from './der-writer.js';
import { keyBits } from './key-identifier.js';

/** Object identifiers of OCSP (RFC 6960 appendix B). */
export const oid = {
  sha1: '1.3.14.3.2.26',
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  nonce: '1.3.6.1.5.5.7.48.1.2',
} as const;

/**
 * Which certificate is meant (RFC 6960 §4.1.1), as text that is equal for equal ones. SHA-1 is what every responder
 * knows (RFC 5019 §2.1.1): it only names an authority here.
 */
export function certificateId(issuer: CertificateContent, serial: string): string {
  return [
    oid.sha1,
    sha1(issuer.subject.der).toString('hex'),
    sha1(keyBits(issuer.publicKeyInfo)).toString('hex'),
    serial,
  ].join(' ');
}

/** The same of a CertID that comes next. */
export function readCertificateId(cursor: DerCursor): string {
  const fields = cursor.next(Tag.sequence).inside();
  const algorithm = objectIdentifier(fields.next(Tag.sequence).inside().next(Tag.objectIdentifier));
  const name = fields.next(Tag.octetString).content.toString('hex');
  const key = fields.next(Tag.octetString).content.toString('hex');
  return [algorithm, name, key, serialNumber(fields.next(Tag.integer))].join(' ');
}

/**
 * A request for the status of one certificate (RFC 6960 §4.1), in DER.
 * @param nonce 1 to 32 random octets, which an answer that was made for this request repeats (RFC 8954)
 */
export function writeOcspRequest(issuer: CertificateContent, serial: string, nonce: Uint8Array): Buffer {
  const sequence = (...contents: readonly Uint8Array[]): Buffer => element(Tag.sequence, ...contents);
  const octets = (content: Uint8Array): Buffer => element(Tag.octetString, content);
  const id = sequence(
    sequence(identifier(oid.sha1), element(0x05)),
    octets(sha1(issuer.subject.der)),
    octets(sha1(keyBits(issuer.publicKeyInfo))),
    integer(serial),
  );
  const extensions = sequence(sequence(identifier(oid.nonce), octets(octets(nonce))));
  return sequence(sequence(sequence(sequence(id)), element(0xa2, extensions)));
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}
