import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PkiError } from './errors.js';

/** Modes of the files that this package writes. */
export const SECRET = 0o600;
export const PUBLIC = 0o644;

/**
 * Replaces a file as a whole: whoever reads it, even after a crash or a power cut, finds the old content or the new,
 * and never with a wider mode than `mode`.
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await replace(path, content, mode, () => Promise.resolve());
}

/** As {@link writeFileAtomic}, a file of an authority. */
export async function writeAuthorityFile(path: string, content: string, mode: number): Promise<void> {
  await replace(path, content, mode, (file) => giveToOwner(file, dirname(path)));
}

/**
 * The broker's user has to read what root puts into its directory: so that belongs to whom the directory belongs to. Not for what is put
 * where others may have made the directory so that they get it.
 */
export async function giveToOwner(file: FileHandle, directory: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const [{ uid, gid }, now] = await Promise.all([stat(directory), file.stat()]);
  // A broker that runs as root in a sandbox may give nothing away, and has nothing to give.
  if (uid !== now.uid || gid !== now.gid) await file.chown(uid, gid);
}

async function replace(
  path: string,
  content: string | Uint8Array,
  mode: number,
  prepare: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await prepare(file);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes the names in a directory durable: a rename is safe from a power cut only then. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The text of a file, or undefined if there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function isSystemError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => error.code === code);
}

/** Runs `parse`, and names the file in what it throws. */
export function inFile<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    const more = cause.hint === undefined ? { cause } : { cause, hint: cause.hint };
    throw new PkiError(cause.code, `${path}: ${cause.message}`, more);
  }
}
