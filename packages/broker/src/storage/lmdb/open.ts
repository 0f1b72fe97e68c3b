import { accessSync, chmodSync, constants, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { OperatorError } from '../../errors.js';
import { damagedBranches, damagedHead } from './damage.js';
import { everything, formatKey } from './keys.js';
import { LmdbStore } from './lmdb-store.js';
import { page, read, type Tree } from './tree.js';

/** Counts up whenever an older broker could not read what a newer one writes. */
const storeFormat = 1;

const dataFile = 'data.mdb';

/** The stores that this process has open. */
const openHere = new Set<string>();

/**
 * Opens the store in a directory, or makes one there. Throws OperatorError `data_dir.unusable` for a directory that
 * cannot be used; `store.damaged`, `store.foreign`, `store.newer`, `store.in_use`: none of them is altered.
 */
export async function openLmdbStore(directory: string): Promise<LmdbStore> {
  const path = prepare(directory);
  if (openHere.has(path)) throw inUse(directory, process.pid);
  const tree = openTree(directory, path);
  openHere.add(path);
  try {
    requireAlone(tree, directory);
    const file = join(directory, dataFile);
    const damage = damagedBranches(file);
    if (damage !== undefined) throw damaged(file, damage);
    for (const each of [file, join(directory, 'lock.mdb')]) chmodSync(each, 0o600);
    await requireFormat(tree, directory);
    return new LmdbStore(tree, () => openHere.delete(path));
  } catch (error) {
    openHere.delete(path);
    await tree.close();
    throw error;
  }
}

/** The directory's real path, with nothing in it that LMDB would stumble over. */
function prepare(directory: string): string {
  const file = join(directory, dataFile);
  let damage: string | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    if (existsSync(file)) {
      accessSync(file, constants.R_OK | constants.W_OK);
      damage = damagedHead(file);
    }
  } catch (error) {
    throw unusable(`the store ${directory} cannot be used: ${messageOf(error)}`, 'check its path and its owner', error);
  }
  if (damage !== undefined) throw damaged(file, damage);
  return realpathSync(directory);
}

function openTree(directory: string, path: string): Tree {
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

/** LMDB lets many processes write in turn; the broker must be the only one. */
function requireAlone(tree: Tree, directory: string): void {
  tree.useReadTransaction().done(); // takes a place among the readers, for others to see
  tree.readerCheck();
  for (const [, pid] of tree.readerList().matchAll(/^\s*(\d+)\s/gm))
    if (Number(pid) !== process.pid) throw inUse(directory, Number(pid));
}

async function requireFormat(tree: Tree, directory: string): Promise<void> {
  let format: unknown;
  try {
    format = read<unknown>(tree, formatKey);
    if (format === undefined && page(tree, everything, 1).length === 0) {
      await tree.put(formatKey, ['moat', storeFormat]);
      return;
    }
  } catch {
    // Values that cannot be read are those of another program.
  }
  const [name, version] = Array.isArray(format) ? (format as readonly unknown[]) : [];
  if (name !== 'moat' || typeof version !== 'number')
    throw new OperatorError('store.foreign', `the store ${directory} is not one of this broker`, {
      hint: 'name another data directory',
    });
  if (version > storeFormat)
    throw new OperatorError(
      'store.newer',
      `the store ${directory} has format ${version}, and this broker knows formats up to ${storeFormat}`,
      { hint: 'start the broker that wrote it, or a newer one' },
    );
}

function inUse(directory: string, pid: number): OperatorError {
  return new OperatorError('store.in_use', `the store ${directory} is in use by process ${pid}`, {
    hint: 'stop that one or name another data directory',
  });
}

function damaged(file: string, damage: string): OperatorError {
  return new OperatorError('store.damaged', `the store ${file} is damaged: ${damage}`, {
    hint: 'it is left as it is; restore a backup or start elsewhere',
  });
}

function unusable(message: string, hint: string, cause?: unknown): OperatorError {
  return new OperatorError('data_dir.unusable', message, { hint, ...(cause === undefined ? {} : { cause }) });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
