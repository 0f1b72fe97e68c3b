import { hash, verifySync } from '@node-rs/argon2';
import { parseForeignHash } from './foreign-hash.js';
import type { PasswordHash } from './hash-scheme.js';

/** What one Argon2id hash costs: memory in KiB, passes over it, and threads. */
interface HashCost {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

/** 19 MiB and two passes: the least that OWASP advises for Argon2id, 20 to 40 ms of one core. */
const standardCost: HashCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** More than this for one login (256 MiB) is taken for a mistake. */
const dearest: HashCost = { memoryCost: 262_144, timeCost: 16, parallelism: 4 };

const base64 = '[A-Za-z0-9+/]';
// Salts of 8 bytes and hashes of 16 at the least, in base64 without padding.
const argon2id = new RegExp(
  `^\\$argon2id\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,3}),p=(\\d{1,3})\\$${base64}{11,86}\\$${base64}{22,172}$`,
);

/** The Argon2id hash of a password with a fresh salt, as a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$…`. */
export async function hashPassword(password: string | Uint8Array): Promise<string> {
  return hash(password, standardCost);
}

/** Undefined for what is no hash, one of an unknown scheme, or one that is too dear to hold passwords against. */
export function parseHash(text: string): PasswordHash | undefined {
  const [, memory, time, threads] = argon2id.exec(text) ?? [];
  if (memory === undefined) return parseForeignHash(text);
  const [memoryCost, timeCost, parallelism] = [Number(memory), Number(time), Number(threads)];
  if (memoryCost > dearest.memoryCost || timeCost > dearest.timeCost || parallelism > dearest.parallelism)
    return undefined;
  if (memoryCost < 8 * parallelism || timeCost < 1 || parallelism < 1) return undefined;
  const cost = `argon2id ${memory} ${time} ${threads}`;
  return { cost, own: true, text, verify: (password) => verifySync(text, password) };
}

/** A hash at the standard cost that stands for nobody's password: what its verification says is of no interest. */
export const standardHash = parseHash(
  `$argon2id$v=19$m=${standardCost.memoryCost},t=${standardCost.timeCost},p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
) as PasswordHash;
