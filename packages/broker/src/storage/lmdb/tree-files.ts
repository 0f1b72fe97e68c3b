import { chmodSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { OperatorError } from '../../errors.js';
import type { Tree } from './tree.js';

/** Counts up whenever an older broker could not read what a newer one writes. */
export const storeFormat = 2;

export const dataFile = 'data.mdb';

/** Where a compaction makes its copy. What is half made is of no use to anybody: a broker that starts removes it. */
export const compactionDirectory = (directory: string): string => join(directory, 'compact');

/** A tree at a path, for its only user. `directory` is what the errors name. */
export function openTree(directory: string, path: string): Tree {
  try {
    return open<unknown, Uint8Array>({
      path,
      noSubdir: false,
      keyEncoding: 'binary',
      encoding: 'msgpack',
      // A commit is durable when it returns, and one promise tells of it.
      overlappingSync: false,
      // Batches are made here; every promise that LMDB makes is then one that is waited for.
      eventTurnBatching: false,
    });
  } catch (error) {
    throw unusable(`the store ${directory} cannot be opened: ${messageOf(error)}`, 'check its files', error);
  }
}

/** Copies what is durable in a tree into an empty directory. `compact` leaves free pages out. */
export async function copyTree(tree: Tree, directory: string, compact: boolean): Promise<void> {
  await tree.backup(directory, compact);
  const file = join(directory, dataFile);
  chmodSync(file, 0o600);
  syncPath(file);
  syncPath(directory);
}

/** Brings a file, or the names in a directory, to the disk. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function unusable(message: string, hint: string, cause?: unknown): OperatorError {
  return new OperatorError('data_dir.unusable', message, { hint, ...(cause === undefined ? {} : { cause }) });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
