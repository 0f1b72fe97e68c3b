import { type KeyObject, sign, webcrypto } from 'node:crypto';
import { PkiError } from './errors.js';

/** How a kind of key signs certificates, lists and answers. */
interface SignatureAlgorithm {
  /** As the encoder of certificates names it. */
  readonly name: webcrypto.AlgorithmIdentifier & object;
  /** The AlgorithmIdentifier, as dotted numbers, and whether NULL follows (RFC 5754, RFC 8410 §3). */
  readonly identifier: string;
  readonly nullParameters: boolean;
  /** Undefined where the algorithm hashes by itself. */
  readonly digest: string | undefined;
}

const LEAST_RSA_BITS = 2048;

function ecdsa(namedCurve: string, hash: string, identifier: string): SignatureAlgorithm {
  const name = { name: 'ECDSA', namedCurve, hash };
  return { name, identifier, nullParameters: false, digest: hash.replace('-', '').toLowerCase() };
}

const P256 = ecdsa('P-256', 'SHA-256', '1.2.840.10045.4.3.2');
const P384 = ecdsa('P-384', 'SHA-384', '1.2.840.10045.4.3.3');
const ED25519 = { name: { name: 'Ed25519' }, identifier: '1.3.101.112', nullParameters: false, digest: undefined };
const RSA = {
  name: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  identifier: '1.2.840.113549.1.1.11',
  nullParameters: true,
  digest: 'sha256',
};

/**
 * The algorithm of a key, public or private.
 *
 * @throws PkiError `pki.unsupported_key` if the key is none of P-256, P-384, Ed25519, RSA from 2048 bits
 */
export function signatureAlgorithmOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): SignatureAlgorithm {
  const { namedCurve, modulusLength = 0 } = asymmetricKeyDetails;
  if (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return P256;
  if (asymmetricKeyType === 'ec' && namedCurve === 'secp384r1') return P384;
  if (asymmetricKeyType === 'ed25519') return ED25519;
  if (asymmetricKeyType === 'rsa' && modulusLength >= LEAST_RSA_BITS) return RSA;
  throw new PkiError('pki.unsupported_key', `a key is none of P-256, P-384, Ed25519, RSA from ${LEAST_RSA_BITS} bits`);
}

/** Key and algorithm as the encoder of certificates takes them. */
export async function signerOf(privateKey: KeyObject) {
  const { name } = signatureAlgorithmOf(privateKey);
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  return {
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, name, false, ['sign']),
    signingAlgorithm: name,
  };
}

/** Signs octets that no encoder knows of. */
export function signOctets(octets: Buffer, privateKey: KeyObject): Buffer {
  return sign(signatureAlgorithmOf(privateKey).digest, octets, privateKey);
}
