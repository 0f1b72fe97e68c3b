import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { saslPrep } from './sasl-prep.js';

const derive = promisify(pbkdf2);

/** The mechanisms, by the names that MQTT clients give, and what each hashes with (RFC 5802, RFC 7677). */
export const mechanisms = {
  'SCRAM-SHA-256': { hash: 'sha256', length: 32, iterations: 600_000 },
  'SCRAM-SHA-512': { hash: 'sha512', length: 64, iterations: 210_000 },
} as const;

export type Mechanism = keyof typeof mechanisms;

export const mechanismNames = Object.keys(mechanisms) as Mechanism[];

/** RFC 7677 §4 asks for this many iterations at the least; beyond the most, a client would work for minutes. */
export const leastIterations = 4_096;
export const mostIterations = 10_000_000;

/** RFC 5802 §3: what a client proves that it has, and what a server keeps of it. */
export interface Keys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Takes a tenth of a second and more, outside of the event loop. */
export async function deriveKeys(
  mechanism: Mechanism,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Keys> {
  const { hash, length } = mechanisms[mechanism];
  const salted = await derive(saslPrep(password) ?? password, salt, iterations, length, hash);
  const clientKey = signature(mechanism, salted, 'Client Key');
  return {
    clientKey,
    storedKey: storedKeyOf(mechanism, clientKey),
    serverKey: signature(mechanism, salted, 'Server Key'),
  };
}

export function storedKeyOf(mechanism: Mechanism, clientKey: Uint8Array): Buffer {
  return createHash(mechanisms[mechanism].hash).update(clientKey).digest();
}

/** HMAC of a message under one of the keys. */
export function signature(mechanism: Mechanism, key: Uint8Array, message: string): Buffer {
  return createHmac(mechanisms[mechanism].hash, key).update(message).digest();
}

/** Of two of the same length. */
export function exclusiveOr(left: Uint8Array, right: Uint8Array): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] as number)));
}
