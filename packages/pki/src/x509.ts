import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

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

/** The kinds of key that are made here. */
export const KEY_ALGORITHMS = ['p256', 'ed25519'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** A new private key; its public key follows from it. */
export async function generatePrivateKey(algorithm: KeyAlgorithm = 'p256'): Promise<KeyObject> {
  const generate = promisify(generateKeyPair);
  const { privateKey } = await (algorithm === 'ed25519'
    ? generate('ed25519')
    : generate('ec', { namedCurve: 'P-256' }));
  return privateKey;
}

/**
 * A private key in PEM (RFC 7468 §10, §11): a secret, for a file with mode 0600. A passphrase encrypts it with
 * AES-256-CBC by PBES2.
 */
export function privateKeyPem(privateKey: KeyObject, passphrase?: string): string {
  const format = { type: 'pkcs8', format: 'pem' } as const;
  return String(
    privateKey.export(passphrase === undefined ? format : { ...format, cipher: 'aes-256-cbc', passphrase }),
  );
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
