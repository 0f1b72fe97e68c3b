import { randomBytes } from 'node:crypto';
import { chown, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperatorError } from '../errors.js';
import { linesOf } from './password-file.js';
import { hashPassword } from './password-hash.js';
import { usernameProblem } from './username.js';

/**
 * Sets the password of a user, who need not exist yet, in a file that need not exist yet. Other lines stay as they are.
 * @throws OperatorError `passwords.invalid` for a user name that cannot be used or an empty password
 */
export async function setPassword(path: string, user: string, password: string): Promise<void> {
  const problem = usernameProblem(user);
  if (problem) throw new OperatorError('passwords.invalid', `the user name ${JSON.stringify(user)} ${problem}`);
  if (password === '') throw new OperatorError('passwords.invalid', `the password of ${user} is empty`);
  const lines = await readLines(path);
  const line = `${user}:${await hashPassword(password)}`;
  const index = lines.findIndex((other) => isLineOf(user, other));
  await replace(path, index < 0 ? [...lines, line] : lines.with(index, line));
}

/** Removes a user; false when there was none of that name. Other lines stay as they are. */
export async function removePassword(path: string, user: string): Promise<boolean> {
  const lines = await readLines(path);
  const others = lines.filter((line) => !isLineOf(user, line));
  if (others.length === lines.length) return false;
  await replace(path, others);
  return true;
}

function isLineOf(user: string, line: string): boolean {
  return !line.startsWith('#') && line.startsWith(`${user}:`);
}

async function readLines(path: string): Promise<string[]> {
  try {
    return linesOf(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Whoever reads the file meanwhile, or after a crash, sees the old lines or the new ones; its owner stays the same. */
async function replace(path: string, lines: readonly string[]): Promise<void> {
  const target = await realpath(path).catch((error: unknown) => (isMissing(error) ? path : Promise.reject(error)));
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(lines.map((line) => `${line}\n`).join(''));
      await file.sync();
    } finally {
      await file.close();
    }
    await keepOwner(target, temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(target));
}

/** Only root can change another's file, and must not take it away from the broker's user. */
async function keepOwner(from: string, to: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  try {
    const { uid, gid } = await stat(from);
    await chown(to, uid, gid);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** The new name is durable only then. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
