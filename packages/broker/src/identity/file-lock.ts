import { open, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.js';

/** Milliseconds after which a lock was left behind: what is done under one takes a moment. */
const abandoned = 10_000;

/**
 * Does something that no other process does with the same file at the same time, by a file `PATH.lock` beside it.
 * @throws OperatorError `passwords.locked` when another holds it for too long
 */
export async function withLock<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  const lock = `${path}.lock`;
  const deadline = Date.now() + 2 * abandoned;
  while (!(await take(lock))) {
    if (Date.now() > deadline) throw new OperatorError('passwords.locked', `${lock} is held by another process`);
    await sleep(20);
  }
  try {
    return await action();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const since = await stat(lock).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
  if (Date.now() - since > abandoned) await rm(lock, { force: true });
  return false;
}
