import type { RootDatabase } from 'lmdb';
import { type KeyRange, keyBehind, numberIn } from './keys.js';

/** The one tree of the store, with values of its own encoding. */
export type Tree = RootDatabase<unknown, Uint8Array>;

export interface Row {
  readonly key: Uint8Array;
  readonly value: unknown;
}

const pageSize = 1_024;

/** The value at a key. `T` is what the store itself wrote there. */
export function read<T>(tree: Tree, key: Uint8Array): T | undefined {
  return tree.get(key) as T | undefined;
}

/** Up to `limit` rows, in order. */
export function page(tree: Tree, { start, end }: KeyRange, limit: number): Row[] {
  return [...tree.getRange({ start, end, limit })];
}

/** All rows, in order, a page at a time. No transaction stays open between pages, so that what is freed meanwhile is used again. */
export function* pages(tree: Tree, { start, end }: KeyRange): Generator<readonly Row[]> {
  let from = start;
  for (;;) {
    const found = page(tree, { start: from, end }, pageSize);
    yield found;
    const last = found.at(-1);
    if (last === undefined || found.length < pageSize) return;
    from = keyBehind(last.key);
  }
}

/** All rows, in order, as {@link pages}. */
export function* rows(tree: Tree, range: KeyRange): Generator<Row> {
  for (const some of pages(tree, range)) yield* some;
}

/** The highest number in use among the keys of a range; 0 where there is none. */
export function highestNumber(tree: Tree, { start, end }: KeyRange): number {
  for (const key of tree.getKeys({ start: end, exclusiveStart: true, end: start, reverse: true, limit: 1 }))
    return numberIn(key);
  return 0;
}
