import { generateKeyPair, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';

/** ECDSA on P-256 with SHA-256 (RFC 5758 §3.2): the one algorithm of this package. */
export const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/**
 * The X.509 encoder. It takes some 100 ms to load, so only those who sign load it, when they first do.
 */
export async function loadX509() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/**
 * A distinguished name of one attribute (RFC 5280 §4.1.2.4). The type is given because the encoder reads untyped
 * text as syntax: it would shorten `x"admin"` to `admin`.
 */
export async function commonNameOnly(commonName: string) {
  const { Name } = await loadX509();
  return new Name([{ CN: [{ utf8String: commonName }] }]);
}

/** A new private key on P-256; its public key follows from it. */
export async function generatePrivateKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateKey;
}

/** The same key as the encoder's signing functions take it. */
export function signingKeyOf(privateKey: KeyObject): Promise<webcrypto.CryptoKey> {
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', pkcs8, ECDSA, false, ['sign']);
}

/** A private key in PEM (RFC 7468 §10): a secret, for a file with mode 0600. */
export function privateKeyPem(privateKey: KeyObject): string {
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

/**
 * A random serial number of 16 octets in lower-case hexadecimal. The first two bits are 01, so that it is positive
 * and always of one length (RFC 5280 §4.1.2.2); the other 126 cannot be guessed.
 */
export function randomSerialNumber(): string {
  const octets = randomBytes(16);
  octets.writeUInt8((octets.readUInt8(0) & 0x3f) | 0x40, 0);
  return octets.toString('hex');
}
