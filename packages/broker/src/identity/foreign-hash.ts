import { createHash, pbkdf2Sync, scryptSync, timingSafeEqual } from 'node:crypto';
import type { PasswordHash } from './hash-scheme.js';

/*
 * Hashes that other programs have made. All are read as they are; none is made here.
 *
 *   $scrypt$ln=17,r=8,p=1$SALT$HASH    PHC string, base64 without padding
 *   $7$101$SALT$HASH                   mosquitto_passwd: PBKDF2-HMAC-SHA512 with so many iterations
 *   $6$SALT$HASH                       mosquitto_passwd before 2.0: SHA-512 of password and salt
 */

/** More work than this for one login is taken for a mistake: a second of PBKDF2, 256 MiB of scrypt. */
const mostIterations = 1_000_000;
const mostMemory = 256 * 1_024 * 1_024;
const mostPasses = 16;

/** A hash taken apart, and how one is made of a password. */
interface Derived {
  readonly cost: string;
  readonly hash: Buffer;
  derive(password: Uint8Array): Buffer;
}

const parsers = { scrypt: parseScrypt, 7: parsePbkdf2, 6: parseSalted };

/** Undefined for what is none of them, or too dear. */
export function parseForeignHash(text: string): PasswordHash | undefined {
  const [nothing, scheme = '', ...fields] = text.split('$');
  if (nothing !== '' || !Object.hasOwn(parsers, scheme)) return undefined;
  const derived = parsers[scheme as keyof typeof parsers](fields);
  if (derived === undefined) return undefined;
  const { cost, hash, derive } = derived;
  return { cost, own: false, text, verify: (password) => timingSafeEqual(derive(password), hash) };
}

function parseScrypt([parameters = '', salt, wanted, ...more]: string[]): Derived | undefined {
  const [, ln, r, p] = (/^ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})$/.exec(parameters) ?? []).map(Number);
  const [saltBytes, hash] = [bytesOf(salt, 8), bytesOf(wanted, 16)];
  if (!ln || !r || !p || !saltBytes || !hash || more.length > 0) return undefined;
  const memory = 128 * 2 ** ln * r;
  if (memory > mostMemory || p > mostPasses) return undefined;
  const options = { N: 2 ** ln, r, p, maxmem: 2 * memory + 128 * r * p };
  return {
    cost: `scrypt ${parameters} ${hash.length}`,
    hash,
    derive: (password) => scryptSync(password, saltBytes, hash.length, options),
  };
}

function parsePbkdf2([iterations = '', salt, wanted, ...more]: string[]): Derived | undefined {
  const [saltBytes, hash] = [bytesOf(salt, 8), bytesOf(wanted, 64)];
  if (!/^[1-9]\d{0,6}$/.test(iterations) || Number(iterations) > mostIterations) return undefined;
  if (!saltBytes || hash?.length !== 64 || more.length > 0) return undefined;
  return {
    cost: `pbkdf2 ${iterations}`,
    hash,
    derive: (password) => pbkdf2Sync(password, saltBytes, Number(iterations), 64, 'sha512'),
  };
}

function parseSalted([salt, wanted, ...more]: string[]): Derived | undefined {
  const [saltBytes, hash] = [bytesOf(salt, 8), bytesOf(wanted, 64)];
  if (!saltBytes || hash?.length !== 64 || more.length > 0) return undefined;
  return {
    cost: 'sha512',
    hash,
    derive: (password) => createHash('sha512').update(password).update(saltBytes).digest(),
  };
}

/** Undefined when it is not base64, or holds less than so many bytes. */
function bytesOf(base64: string | undefined, least: number): Buffer | undefined {
  if (base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length < least || bytes.length > 128 ? undefined : bytes;
}
