import { type KeyObject, verify } from 'node:crypto';
import { type DerCursor, objectIdentifier, Tag } from './der.js';

/** The digest of each signature algorithm that is accepted (RFC 4055, 5758, 8410); null where it belongs to the key. */
const digests: Readonly<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256', // ecdsa-with-SHA256
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256', // sha256WithRSAEncryption
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null, // Ed25519
  '1.3.101.113': null, // Ed448
};

/** Something signed: what was signed, how, and the signature. */
export interface Signed {
  readonly signed: Buffer;
  /** Object identifier of the algorithm. */
  readonly algorithm: string;
  readonly signature: Buffer;
}

/** Reads the three parts of which certificates, lists and OCSP answers consist (RFC 5280 §4.1.1). */
export function readSigned(cursor: DerCursor): Signed {
  const signed = cursor.next(Tag.sequence).whole;
  const algorithm = objectIdentifier(cursor.next(Tag.sequence).inside().next(Tag.objectIdentifier));
  const signature = cursor.next(Tag.bitString).content.subarray(1); // after the number of unused bits
  return { signed, algorithm, signature };
}

/** Whether a signature is good; SHA-1 and what is not known never are. */
export function isSignedBy({ signed, algorithm, signature }: Signed, key: KeyObject): boolean {
  const digest = Object.hasOwn(digests, algorithm) ? digests[algorithm] : undefined;
  if (digest === undefined) return false;
  try {
    return verify(digest, signed, key, signature);
  } catch {
    return false; // a key of another kind
  }
}
