import { createHash } from 'node:crypto';
import type { CertificateContent } from './certificate-content.js';
import { DerCursor, Tag } from './der.js';

/** The bits of a public key, without what says of which kind they are. */
export function keyBits(publicKeyInfo: Buffer): Buffer {
  const info = new DerCursor(publicKeyInfo).next(Tag.sequence).inside();
  info.next(Tag.sequence);
  return info.next(Tag.bitString).content.subarray(1); // after the number of unused bits
}

/**
 * What certificates and lists name the key of their issuer by (RFC 5280 §4.2.1.1): as its own certificate has it, since
 * another authority may have hashed otherwise, or else the SHA-1 of the key (§4.2.1.2).
 */
export function keyIdentifierOf({ subjectKeyIdentifier, publicKeyInfo }: CertificateContent): Buffer {
  return subjectKeyIdentifier ?? createHash('sha1').update(keyBits(publicKeyInfo)).digest();
}
