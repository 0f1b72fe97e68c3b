import type { PageFile, Root } from './page-file.js';

/** A row as it lies in the file. */
export interface RawRow {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** A part of the file that cannot be read. */
export interface Unreadable {
  readonly page: number;
  readonly what: 'a branch' | 'a leaf' | 'an entry';
  /** The last key that could be read before it, and the first behind it. */
  readonly behind: Buffer | undefined;
  before: Buffer | undefined;
}

/**
 * The rows of an LMDB file, as far as they can be read.
 *
 * Invariant: no row of the past. What lies in a free page was deleted or replaced, and is not looked at.
 */
export class RawRows {
  /** What was met so far that cannot be read. */
  readonly unreadable: Unreadable[] = [];
  private readonly seen: Uint8Array;
  private lastKey: Buffer | undefined = undefined;

  constructor(private readonly pages: PageFile) {
    this.seen = new Uint8Array(pages.head.pages);
  }

  /** Every row, in the order of the keys; then, where a branch cannot be read, those that it led to, in any order. */
  *all(): Generator<RawRow> {
    yield* this.below(this.pages.head.main);
    if (this.unreadable.some(({ what }) => what === 'a branch')) yield* this.strays();
  }

  private *below({ page, depth }: Root): Generator<RawRow> {
    if (page === undefined) return;
    this.seen[page] = 1;
    if (depth <= 1) {
      const nodes = this.pages.leaf(page);
      if (nodes === undefined) this.miss(page, 'a leaf');
      else yield* this.rows(page, nodes);
      return;
    }
    const children = this.pages.branch(page);
    if (children === undefined) this.miss(page, 'a branch');
    else for (const child of children) yield* this.below({ page: child, depth: depth - 1 });
  }

  private *rows(page: number, nodes: NonNullable<ReturnType<PageFile['leaf']>>): Generator<RawRow> {
    for (const node of nodes) {
      const value = node && (Buffer.isBuffer(node.value) ? node.value : this.large(node.value));
      if (node === undefined || value === undefined) {
        this.miss(page, 'an entry');
        continue;
      }
      this.meet(node.key);
      yield { key: node.key, value };
    }
  }

  private miss(page: number, what: Unreadable['what']): void {
    this.unreadable.push({ page, what, behind: this.lastKey, before: undefined });
  }

  private meet(key: Buffer): void {
    this.lastKey = key;
    for (let index = this.unreadable.length - 1; index >= 0; index--) {
      const missed = this.unreadable[index];
      if (missed === undefined || missed.before !== undefined) return;
      missed.before = key;
    }
  }

  private large({ page, size }: { page: number; size: number }): Buffer | undefined {
    this.seen.fill(1, page, page + this.pages.spanOf(size));
    return this.pages.overflow(page, size);
  }

  /** Leaves that no branch leads to any more. Without the list of free pages none can be told from those of the past. */
  private *strays(): Generator<RawRow> {
    if (!this.passFreePages()) return;
    for (let page = 2; page < this.seen.length; page++) {
      if (this.seen[page] === 1) continue;
      const nodes = this.pages.leaf(page);
      if (nodes !== undefined) yield* this.rows(page, nodes);
    }
  }

  /** False when the list of free pages cannot be read. */
  private passFreePages(): boolean {
    const before = this.unreadable.length;
    for (const { value } of this.below(this.pages.head.free)) {
      const count = value.length < 8 ? 0 : Number(value.readBigUInt64LE(0));
      if (value.length < 8 * (count + 1)) return false;
      for (let at = 8; at <= 8 * count; at += 8) {
        const entry = Number(value.readBigInt64LE(at));
        if (entry > 0) this.seen[entry] = 1;
        if (entry >= 0) continue;
        // A negative number is a length, of a span that begins with the next.
        at += 8;
        const start = Number(value.readBigInt64LE(at));
        this.seen.fill(1, start, start - entry);
      }
    }
    return this.unreadable.length === before;
  }
}
