import { hash, parseOptions, verify } from '@node-rs/argon2';

/** What one hash costs: memory in KiB, passes over it, and threads. */
export interface HashCost {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

/** 19 MiB and two passes: the least that OWASP advises for Argon2id, 20 to 40 ms of one core. */
export const standardCost: HashCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** More than this for one login (256 MiB) is taken for a mistake. */
const dearest: HashCost = { memoryCost: 262_144, timeCost: 16, parallelism: 4 };

/** The Argon2id hash of a password with a fresh salt, as a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$…`. */
export async function hashPassword(password: string | Uint8Array): Promise<string> {
  return hash(password, standardCost);
}

/** What it costs to verify a hash; undefined when it is not a hash that {@link verifyPassword} takes. */
export function costOf(phc: string): HashCost | undefined {
  if (!phc.startsWith('$argon2id$v=19$')) return undefined;
  try {
    const { memoryCost, timeCost, parallelism, outputLen, saltLen } = parseOptions(phc);
    const affordable =
      memoryCost <= dearest.memoryCost && timeCost <= dearest.timeCost && parallelism <= dearest.parallelism;
    return affordable && outputLen >= 16 && saltLen >= 8 ? { memoryCost, timeCost, parallelism } : undefined;
  } catch {
    return undefined;
  }
}

/** A hash at this cost that no password has, to spend the same time on a user who does not exist. */
export function dummyHash({ memoryCost, timeCost, parallelism }: HashCost): string {
  const base64 = (length: number) => Buffer.alloc(length).toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${base64(16)}$${base64(32)}`;
}

/** Whether the password has this hash. Runs outside of the event loop, and compares in constant time. */
export async function verifyPassword(phc: string, password: Uint8Array): Promise<boolean> {
  return verify(phc, password);
}
