import type { KeyObject } from 'node:crypto';
import { Tag } from './der.js';
import { element, identifier } from './der-writer.js';
import { signatureAlgorithmOf, signOctets } from './signature-algorithm.js';

/** The AlgorithmIdentifier of the signatures that a key makes (RFC 5280 §4.1.1.2). */
export function algorithmIdentifier(key: KeyObject): Buffer {
  const algorithm = signatureAlgorithmOf(key);
  const parameters = algorithm.nullParameters ? [element(0x05)] : [];
  return element(Tag.sequence, identifier(algorithm.identifier), ...parameters);
}

/** What was signed, how, and the signature: the three parts of lists, answers and requests, and what follows them. */
export function signedSequence(data: Buffer, privateKey: KeyObject, ...more: readonly Buffer[]): Buffer {
  const bits = Buffer.concat([Buffer.of(0), signOctets(data, privateKey)]);
  return element(Tag.sequence, data, algorithmIdentifier(privateKey), element(Tag.bitString, bits), ...more);
}
