import { readFile, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { writeFileAtomic } from '@moat/pki';
import { mechanismNames } from '@moat/scram';
import { OperatorError } from '../errors.js';
import { withLock } from './file-lock.js';
import { linesOf } from './password-file.js';
import { hashPassword } from './password-hash.js';
import { formatVerifier, makeVerifier } from './scram.js';
import { usernameProblem } from './username.js';

/** Which credentials to make. */
export interface CredentialOptions {
  /** Whether to make SCRAM verifiers as well; default true. */
  readonly scram?: boolean;
}

/**
 * Sets the password of a user, who need not exist yet, in a file that need not exist yet. Other lines stay as they are.
 * @throws OperatorError `passwords.invalid` for a user name that cannot be used or an empty password
 */
export async function setPassword(
  path: string,
  user: string,
  password: string,
  options?: CredentialOptions,
): Promise<void> {
  await changeCredentials(path, new Map([[user, await makeCredentials(user, password, options)]]));
}

/**
 * Sets the passwords of many users at once: all of them, or none. Hashes are computed on all cores.
 * @param progress told after each user how many are done; the file is written behind the last
 * @throws OperatorError as `setPassword` does
 */
export async function setPasswords(
  path: string,
  passwords: ReadonlyMap<string, string>,
  options?: CredentialOptions,
  progress: (done: number) => void = () => {},
): Promise<void> {
  const credentials = new Map<string, string>();
  // All of them take from one iterator, so each has the next user as soon as it is free.
  const left = passwords.entries();
  const worker = async (): Promise<void> => {
    for (const [user, password] of left) {
      credentials.set(user, await makeCredentials(user, password, options));
      progress(credentials.size);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const inOrder = [...passwords.keys()].map((user) => [user, credentials.get(user)] as const);
  await changeCredentials(path, new Map(inOrder));
}

/** Removes a user; false when there was none of that name. Other lines stay as they are. */
export async function removePassword(path: string, user: string): Promise<boolean> {
  return (await changeCredentials(path, new Map([[user, undefined]]))) > 0;
}

/**
 * What stands behind the name of a user in a password file.
 * @throws OperatorError `passwords.invalid`
 */
async function makeCredentials(
  user: string,
  password: string,
  { scram = true }: CredentialOptions = {},
): Promise<string> {
  const problem = usernameProblem(user);
  if (problem) throw new OperatorError('passwords.invalid', `the user name ${JSON.stringify(user)} ${problem}`);
  if (password === '') throw new OperatorError('passwords.invalid', `the password of ${user} is empty`);
  const verifiers = scram ? mechanismNames.map((mechanism) => makeVerifier(mechanism, password)) : [];
  const parts = await Promise.all([
    hashPassword(password),
    ...verifiers.map(async (made) => formatVerifier(await made)),
  ]);
  return parts.join(':');
}

/**
 * Puts credentials in the place of others, adds those of new users, and removes those that are undefined, all at once.
 * Other lines, comments and the order stay.
 * @param expected when given, a user whose credentials are others by now is left alone
 * @returns how many lines are otherwise now
 */
export async function changeCredentials(
  path: string,
  changes: ReadonlyMap<string, string | undefined>,
  expected?: ReadonlyMap<string, string>,
): Promise<number> {
  const target = await realpath(path).catch((error: unknown) => (isMissing(error) ? path : Promise.reject(error)));
  return withLock(target, async () => {
    const left = new Map(changes);
    const lines: string[] = [];
    let changed = 0;
    for (const line of await readLines(target)) {
      const [user = '', ...rest] = line.startsWith('#') ? [] : line.split(':');
      const known = left.has(user);
      const credentials = left.get(user);
      left.delete(user);
      if (!known || (expected !== undefined && expected.get(user) !== rest.join(':'))) {
        lines.push(line);
        continue;
      }
      changed++;
      if (credentials !== undefined) lines.push(`${user}:${credentials}`);
    }
    for (const [user, credentials] of left) {
      if (credentials === undefined || expected !== undefined) continue;
      changed++;
      lines.push(`${user}:${credentials}`);
    }
    if (changed > 0) await writeFileAtomic(target, lines.map((line) => `${line}\n`).join(''), 0o600, target);
    return changed;
  });
}

async function readLines(path: string): Promise<string[]> {
  try {
    return linesOf(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
