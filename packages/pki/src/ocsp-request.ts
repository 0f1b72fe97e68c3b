import { createHash } from 'node:crypto';
import { parseCertificate } from './certificate.js';
import { readCertificate } from './certificate-content.js';
import { DerCursor, objectIdentifier, serialNumber, Tag } from './der.js';
import { keyBits } from './key-identifier.js';

/** One certificate that a request asks about (RFC 6960 §4.1.1). */
export interface OcspQuestion {
  /** The CertID as it came, DER: the answer repeats it. */
  readonly id: Buffer;
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  /** Whether it means a certificate of this issuer. */
  readonly ours: boolean;
}

/** What a request asks, as far as an answer depends on it. */
export interface OcspRequest {
  readonly questions: readonly OcspQuestion[];
  /** The extension with the nonce as it came, DER. */
  readonly nonce: Buffer | undefined;
}

/** What a CertID names an authority by. */
export interface IssuerBytes {
  /** The subject, DER. */
  readonly name: Buffer;
  /** The bits of the public key. */
  readonly key: Buffer;
}

/** Hashes that a CertID may be made with. */
const HASHES: Readonly<Record<string, string>> = { '1.3.14.3.2.26': 'sha1', '2.16.840.1.101.3.4.2.1': 'sha256' };
const NONCE = '1.3.6.1.5.5.7.48.1.2';

/** Reads an OCSP request (RFC 6960 §4.1.1). A signature on it is passed over. @throws DerError */
export function readOcspRequest(der: Buffer, issuer: IssuerBytes): OcspRequest {
  const body = new DerCursor(der).next(Tag.sequence).inside().next(Tag.sequence).inside();
  body.optional(0xa0); // version
  body.optional(0xa1); // who asks
  const list = body.next(Tag.sequence).inside();
  const questions: OcspQuestion[] = [];
  while (!list.done) questions.push(questionOf(list.next(Tag.sequence).inside(), issuer));
  return { questions, nonce: body.optional(0xa2) && nonceIn(body.inside().next(Tag.sequence).inside()) };
}

/** @throws DerError */
export function issuerBytes(pem: string): IssuerBytes {
  const { subject, publicKeyInfo } = readCertificate(parseCertificate(pem).raw);
  return { name: subject.der, key: keyBits(publicKeyInfo) };
}

function questionOf(request: DerCursor, issuer: IssuerBytes): OcspQuestion {
  const id = request.next(Tag.sequence).whole;
  const fields = request.inside();
  const hash = HASHES[objectIdentifier(fields.next(Tag.sequence).inside().next(Tag.objectIdentifier))];
  const name = fields.next(Tag.octetString).content;
  const key = fields.next(Tag.octetString).content;
  const digest = (bytes: Buffer) =>
    createHash(hash ?? 'sha1')
      .update(bytes)
      .digest();
  const ours = hash !== undefined && digest(issuer.name).equals(name) && digest(issuer.key).equals(key);
  return { id, serialNumber: serialNumber(fields.next(Tag.integer)), ours };
}

function nonceIn(extensions: DerCursor): Buffer | undefined {
  while (!extensions.done) {
    const extension = extensions.next(Tag.sequence);
    const { whole } = extension;
    if (objectIdentifier(extension.inside().next(Tag.objectIdentifier)) === NONCE) return whole;
  }
  return undefined;
}
