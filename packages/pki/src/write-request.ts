import { createPublicKey, type KeyObject } from 'node:crypto';
import { Tag } from './der.js';
import { element, identifier, integer, pem } from './der-writer.js';
import { attributeTypes } from './distinguished-name.js';
import { signedSequence } from './signed.js';

/**
 * Asks for the certificate of a device (PKCS#10, RFC 2986): its name, its public key, and the proof that it holds the
 * private one. Nothing else is asked for, since nothing else would be granted.
 *
 * @returns PEM
 * @throws PkiError `pki.unsupported_key`
 */
export function writeCertificateRequest(name: string, privateKey: KeyObject): string {
  const attribute = element(Tag.sequence, identifier(attributeTypes.CN), element(Tag.utf8String, Buffer.from(name)));
  const subject = element(Tag.sequence, element(Tag.set, attribute));
  const publicKeyInfo = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const info = element(Tag.sequence, integer('00'), subject, publicKeyInfo, element(0xa0));
  return pem('CERTIFICATE REQUEST', signedSequence(info, privateKey));
}
