import { accessSync, chmodSync, constants, existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../../errors.js';
import { damagedBranches, damagedHead } from './damage.js';
import { everything, formatKey } from './keys.js';
import { LmdbStore } from './lmdb-store.js';
import { migrate } from './migrate.js';
import { page, read, type Tree } from './tree.js';
import { compactionDirectory, dataFile, messageOf, openTree, storeFormat, unusable } from './tree-files.js';

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
    // What a broker left that was killed while it compacted.
    rmSync(compactionDirectory(path), { recursive: true, force: true });
    for (const each of [file, join(directory, 'lock.mdb')]) chmodSync(each, 0o600);
    await requireFormat(tree, directory);
    return new LmdbStore(tree, path, () => openHere.delete(path));
  } catch (error) {
    openHere.delete(path);
    await tree.close();
    throw error;
  }
}

/** As {@link openLmdbStore}, but makes none. Throws OperatorError `data_dir.unusable` where there is none, too. */
export async function openExistingStore(directory: string): Promise<LmdbStore> {
  requireStore(directory);
  return openLmdbStore(directory);
}

/** The data file of a store that has to be there. */
export function requireStore(directory: string): string {
  const file = join(directory, dataFile);
  if (existsSync(file)) return file;
  throw new OperatorError('data_dir.unusable', `there is no store in ${directory}`, {
    hint: 'it begins with the first start; name the data directory of a broker',
  });
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

/** Opens an empty tree in a directory that is made where it is missing, for whoever fills it. */
export function createTree(directory: string): Tree {
  return openTree(directory, prepare(directory));
}

/**
 * Makes sure that no broker has the store in a directory open.
 * @throws OperatorError `store.in_use`, `data_dir.unusable`
 */
export async function requireUnused(directory: string): Promise<void> {
  const path = prepare(directory);
  if (openHere.has(path)) throw inUse(directory, process.pid);
  const tree = openTree(directory, path);
  try {
    requireAlone(tree, directory);
  } finally {
    await tree.close();
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
  await migrate(tree, version, storeFormat);
}

function inUse(directory: string, pid: number): OperatorError {
  return new OperatorError('store.in_use', `the store ${directory} is in use by process ${pid}`, {
    hint: 'stop that one or name another data directory',
  });
}

function damaged(file: string, damage: string): OperatorError {
  return new OperatorError('store.damaged', `the store ${file} is damaged: ${damage}`, {
    hint: 'it is left as it is: restore a backup, or see moat store check and moat store repair',
  });
}
