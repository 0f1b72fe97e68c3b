import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PkiError } from './errors.js';

/** Modes of the files that this package writes. */
export const SECRET = 0o600;
export const PUBLIC = 0o644;

/**
 * Puts a file in the place of another, or makes one: whoever reads it meanwhile, after a crash, a power cut or when the disk is full, finds
 * the old content or the new, and never with a wider mode than `mode`.
 *
 * @param like a file or directory; what root writes will belong to whom that belongs to, and, without it, to root
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode: number,
  like?: string,
): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(draft, 'wx', mode);
    try {
      if (like !== undefined) await giveToOwnerOf(like, file);
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

/** As {@link writeFileAtomic}, a file of an authority: it belongs to whom its directory belongs to. */
export function writeAuthorityFile(path: string, content: string, mode: number): Promise<void> {
  return writeFileAtomic(path, content, mode, dirname(path));
}

/**
 * Has a file that root writes belong to whom another file, or a directory, belongs to, if that is there: the broker's user has to read what
 * root writes for it. Not for what is put where others may have made the directory so that they get it.
 */
export async function giveToOwnerOf(like: string, file: FileHandle): Promise<void> {
  if (process.getuid?.() !== 0) return;
  try {
    const [{ uid, gid }, now] = await Promise.all([stat(like), file.stat()]);
    // A broker that runs as root in a sandbox may give nothing away, and has nothing to give.
    if (uid !== now.uid || gid !== now.gid) await file.chown(uid, gid);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
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
