import { statSync } from 'node:fs';
import { OperatorError } from '../../errors.js';
import { damagedBranches } from './damage.js';
import { Inventory, type StoreCounts } from './inventory.js';
import { requireStore, requireUnused } from './open.js';
import { PageFile } from './page-file.js';
import { RawRows } from './raw-rows.js';

/** What a store was found to be. Sizes in bytes. */
export interface StoreReport {
  readonly file: string;
  readonly bytes: number;
  /** Undefined when it cannot be told. */
  readonly format: number | undefined;
  readonly counts: StoreCounts;
  /** What is wrong, at most {@link mostFaults} of it; nothing when the store is sound. */
  readonly faults: readonly string[];
  /** How many more there are. */
  readonly more: number;
}

const mostFaults = 100;
const rowsBetweenReports = 10_000;

/**
 * Reads every page and every row of the store in a directory, which no broker may have open, and changes nothing.
 * `progress` is told now and then how many rows were read.
 * @throws OperatorError `store.in_use`; `data_dir.unusable` when there is no store
 */
export async function checkStore(directory: string, progress: (rows: number) => void = () => {}): Promise<StoreReport> {
  const file = await fileOf(directory);
  const bytes = statSync(file).size;
  const counts = new Inventory().counts;
  const pages = PageFile.open(file);
  if (typeof pages === 'string') return { file, bytes, format: undefined, counts, faults: [pages], more: 0 };
  try {
    const { inventory, rows } = takeInventory(pages, progress);
    const unreadable = rows.unreadable.map(({ page, what }) => `${what} on page ${page} cannot be read`);
    const { problem } = pages.head;
    const all = [...(problem === undefined ? [] : [problem]), ...unreadable, ...inventory.faults()];
    const faults = all.slice(0, mostFaults);
    return {
      file,
      bytes,
      format: inventory.format,
      counts: inventory.counts,
      faults,
      more: all.length - faults.length,
    };
  } finally {
    pages.close();
  }
}

/**
 * Makes sure that a store can be read as a whole.
 * @throws OperatorError `store.damaged`, and as {@link checkStore}
 */
export async function requireSound(directory: string): Promise<void> {
  const { file, faults } = await checkStore(directory);
  const [first] = faults;
  if (first === undefined) return;
  throw new OperatorError('store.damaged', `the store ${file} is damaged: ${first}`, {
    hint: 'moat store check says all of it, moat store repair saves what can be read',
  });
}

/** All rows of a file, counted and compared. */
export function takeInventory(
  pages: PageFile,
  progress: (rows: number) => void,
): { inventory: Inventory; rows: RawRows } {
  const inventory = new Inventory();
  const rows = new RawRows(pages);
  let count = 0;
  for (const row of rows.all()) {
    inventory.add(row);
    if (++count % rowsBetweenReports === 0) progress(count);
  }
  return { inventory, rows };
}

/** The data file of a store that nobody has open. */
export async function fileOf(directory: string): Promise<string> {
  const file = requireStore(directory);
  // One that LMDB would stumble over no broker has open: it would have refused it.
  if (damagedBranches(file) === undefined) await requireUnused(directory);
  return file;
}
