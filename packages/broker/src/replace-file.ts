import { randomBytes } from 'node:crypto';
import { chown, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Puts a text in the place of a file, or makes one (mode 0600): whoever reads it meanwhile, after a crash or when the disk
 * is full, finds the old text or the new. Its owner stays the same. Rejects with what the file system says.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await keepOwner(path, temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Only root can change another's file, and must not take it away from the broker's user. */
export async function keepOwner(from: string, to: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  try {
    const [{ uid, gid }, now] = await Promise.all([stat(from), stat(to)]);
    // A broker that runs as root in a sandbox may give nothing away, and has nothing to give.
    if (uid !== now.uid || gid !== now.gid) await chown(to, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Makes the names in a directory durable: what was made, renamed or removed there survives a power cut only then. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
