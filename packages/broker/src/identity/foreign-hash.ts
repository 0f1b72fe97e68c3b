import { createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { PasswordHash } from './hash-scheme.js';

/*
 * Hashes that other programs have made. All are read as they are; none is made here.
 *
 *   $scrypt$ln=17,r=8,p=1$SALT$HASH    PHC string, base64 without padding
 *   $7$101$SALT$HASH                   mosquitto_passwd: PBKDF2-HMAC-SHA512 with so many iterations
 *   $6$SALT$HASH                       mosquitto_passwd before 2.0: SHA-512 of password and salt
 */

const derivePbkdf2 = promisify(pbkdf2);
const deriveScrypt = promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt);

/** More work than this for one login is taken for a mistake: a second of PBKDF2, 256 MiB of scrypt. */
const mostIterations = 1_000_000;
const mostMemory = 256 * 1_024 * 1_024;
const mostPasses = 16;

const parsers = { scrypt: parseScrypt, 7: parsePbkdf2, 6: parseSalted };

/** Undefined for what is none of them, or too dear. */
export function parseForeignHash(text: string): PasswordHash | undefined {
  const [nothing, scheme = '', ...fields] = text.split('$');
  if (nothing !== '' || !Object.hasOwn(parsers, scheme)) return undefined;
  return parsers[scheme as keyof typeof parsers](fields);
}

function parseScrypt([parameters = '', salt, wanted, ...more]: string[]): PasswordHash | undefined {
  const [, ln, r, p] = (/^ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})$/.exec(parameters) ?? []).map(Number);
  const [saltBytes, hash] = [bytesOf(salt, 8), bytesOf(wanted, 16)];
  if (!ln || !r || !p || !saltBytes || !hash || more.length > 0) return undefined;
  const memory = 128 * 2 ** ln * r;
  if (memory > mostMemory || p > mostPasses) return undefined;
  const options = { N: 2 ** ln, r, p, maxmem: 2 * memory + 128 * r * p };
  return foreign(`scrypt ${parameters} ${hash.length}`, hash, (password) =>
    deriveScrypt(password, saltBytes, hash.length, options),
  );
}

function parsePbkdf2([iterations = '', salt, wanted, ...more]: string[]): PasswordHash | undefined {
  const [saltBytes, hash] = [bytesOf(salt, 8), bytesOf(wanted, 64)];
  if (!/^[1-9]\d{0,6}$/.test(iterations) || Number(iterations) > mostIterations) return undefined;
  if (!saltBytes || hash?.length !== 64 || more.length > 0) return undefined;
  return foreign(`pbkdf2 ${iterations}`, hash, (password) =>
    derivePbkdf2(password, saltBytes, Number(iterations), 64, 'sha512'),
  );
}

function parseSalted([salt, wanted, ...more]: string[]): PasswordHash | undefined {
  const [saltBytes, hash] = [bytesOf(salt, 8), bytesOf(wanted, 64)];
  if (!saltBytes || hash?.length !== 64 || more.length > 0) return undefined;
  return foreign('sha512', hash, async (password) => createHash('sha512').update(password).update(saltBytes).digest());
}

function foreign(cost: string, hash: Buffer, derive: (password: Uint8Array) => Promise<Buffer>): PasswordHash {
  return { cost, own: false, verify: async (password) => timingSafeEqual(await derive(password), hash) };
}

/** Undefined when it is not base64, or holds less than so many bytes. */
function bytesOf(base64: string | undefined, least: number): Buffer | undefined {
  if (base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length < least || bytes.length > 128 ? undefined : bytes;
}
