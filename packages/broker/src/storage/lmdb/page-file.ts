import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

// LMDB maps its file and trusts it: a process that maps a damaged one may end without a word. So the file is looked at
// as it lies on the disk. Where things stand is LMDB's data format 2, little-endian as on every platform that Node runs on.

const meta = { size: 160, magic: 24, version: 28, pageSize: 48, freeTree: 48, mainTree: 96, transaction: 152 } as const;
const tree = { depth: 6, root: 40 } as const;
const page = { number: 0, flags: 18, lower: 20, pages: 20, header: 24 } as const;
const node = { low: 0, high: 2, flags: 4, keySize: 6, header: 8 } as const;
const magic = 0xbe_ef_c0_de;
const dataVersion = 2;
/** LMDB's own bound, CURSOR_STACK. */
const deepest = 32;
const pageSizes = [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536];
const branchFlag = 1;
const leafFlag = 2;
const overflowFlag = 4;
/** The value lies in pages of its own, whose first the node names. */
const bigData = 1;

/** Where a tree begins. */
export interface Root {
  /** Undefined when the tree has no pages. */
  readonly page: number | undefined;
  readonly depth: number;
}

interface Head {
  readonly pageSize: number;
  /** Whole pages in the file. */
  readonly pages: number;
  readonly free: Root;
  readonly main: Root;
  /** One of the two pages that tell where all else is cannot be read: the last commit may have been told there. */
  readonly problem: string | undefined;
}

/** One entry of a leaf: its value, or where the pages of a large one begin. */
export interface LeafNode {
  readonly key: Buffer;
  readonly value: Buffer | { readonly page: number; readonly size: number };
}

/** An LMDB data file, read page by page and trusted in nothing. */
export class PageFile {
  private constructor(
    private readonly descriptor: number,
    readonly head: Head,
  ) {}

  /** The file, or what is wrong with its first two pages. Throws what the file system throws. */
  static open(file: string): PageFile | string {
    const descriptor = openSync(file, 'r');
    try {
      const head = readHead(descriptor);
      if (typeof head !== 'string') return new PageFile(descriptor, head);
      closeSync(descriptor);
      return head;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** Whether a page is in the file. */
  has(number: number): boolean {
    return number < this.head.pages;
  }

  /** What is wrong when it is not. */
  get tooShort(): string {
    const { pages, pageSize } = this.head;
    return `it ends after ${pages * pageSize} bytes, before something that it refers to`;
  }

  /** The pages that a branch page leads to, in order; undefined when it is none. */
  branch(number: number): number[] | undefined {
    const bytes = this.read(number, branchFlag);
    const children: number[] = [];
    for (const at of this.nodes(bytes) ?? []) {
      if (at === undefined) return undefined;
      children.push(bytes?.readUIntLE(at, 6) ?? 0);
    }
    return bytes === undefined || children.length === 0 ? undefined : children;
  }

  /** The entries of a leaf page, in order, undefined for one that makes no sense; undefined when it is no leaf. */
  leaf(number: number): (LeafNode | undefined)[] | undefined {
    const bytes = this.read(number, leafFlag);
    if (bytes === undefined) return undefined;
    return this.nodes(bytes)?.map((at) => (at === undefined ? undefined : leafNode(bytes, at)));
  }

  /** How many pages a value of so many bytes takes that does not fit into a leaf. */
  spanOf(size: number): number {
    return Math.ceil((page.header + size) / this.head.pageSize);
  }

  /** The value that begins on an overflow page; undefined when there is none, or a shorter one. */
  overflow(number: number, size: number): Buffer | undefined {
    const { pageSize, pages } = this.head;
    const span = this.spanOf(size);
    if (number + span > pages) return undefined;
    const bytes = Buffer.allocUnsafe(span * pageSize);
    readSync(this.descriptor, bytes, 0, bytes.length, number * pageSize);
    if (!isPage(bytes, number, overflowFlag) || bytes.readUInt32LE(page.pages) !== span) return undefined;
    return bytes.subarray(page.header, page.header + size);
  }

  private read(number: number, flag: number): Buffer | undefined {
    const { pageSize, pages } = this.head;
    if (number >= pages) return undefined;
    const bytes = Buffer.allocUnsafe(pageSize);
    readSync(this.descriptor, bytes, 0, pageSize, number * pageSize);
    return isPage(bytes, number, flag) ? bytes : undefined;
  }

  /** Where the nodes of a page stand, undefined for one that lies outside of it; undefined when they are not to be told. */
  private nodes(bytes: Buffer | undefined): (number | undefined)[] | undefined {
    const { pageSize } = this.head;
    const end = page.header + (bytes?.readUInt16LE(page.lower) ?? 0);
    if (bytes === undefined || end > pageSize) return undefined;
    const places: (number | undefined)[] = [];
    for (let at = page.header; at < end; at += 2) {
      const place = page.header + bytes.readUInt16LE(at); // counted from behind the header
      places.push(place >= end && place + node.header <= pageSize ? place : undefined);
    }
    return places;
  }
}

function isPage(bytes: Buffer, number: number, flag: number): boolean {
  return (bytes.readUInt16LE(page.flags) & flag) !== 0 && bytes.readUIntLE(page.number, 6) === number;
}

function leafNode(bytes: Buffer, at: number): LeafNode | undefined {
  const keyEnd = at + node.header + bytes.readUInt16LE(at + node.keySize);
  const flags = bytes.readUInt16LE(at + node.flags);
  const size = bytes.readUInt16LE(at + node.low) + bytes.readUInt16LE(at + node.high) * 65_536;
  const isBig = (flags & bigData) !== 0;
  if (flags > bigData || keyEnd + (isBig ? 8 : size) > bytes.length) return undefined;
  const key = bytes.subarray(at + node.header, keyEnd);
  if (isBig) return { key, value: { page: Number(bytes.readBigUInt64LE(keyEnd)), size } };
  return { key, value: bytes.subarray(keyEnd, keyEnd + size) };
}

function readHead(descriptor: number): Head | string {
  const first = readMeta(descriptor, 0);
  const second =
    first === undefined ? searchSecond(descriptor) : readMeta(descriptor, first.readUInt32LE(meta.pageSize));
  const newest = newer(first, second);
  if (newest === undefined) return 'it does not begin as a store does';
  const pageSize = newest.readUInt32LE(meta.pageSize);
  if (!pageSizes.includes(pageSize)) return 'its page size makes no sense';
  const pages = Math.floor(fstatSync(descriptor).size / pageSize);
  const [free, main] = [rootAt(newest, meta.freeTree), rootAt(newest, meta.mainTree)];
  if (Math.max(free.depth, main.depth) > deepest) return 'its trees are deeper than any';
  const problem = first === undefined ? 'its first page is not what it was' : 'its second page is not what it was';
  return { pageSize, pages, free, main, problem: first && second ? undefined : problem };
}

/** The second page stands behind the first, whose size is not known when that one is lost. */
function searchSecond(descriptor: number): Buffer | undefined {
  for (const pageSize of pageSizes) {
    const found = readMeta(descriptor, pageSize);
    if (found?.readUInt32LE(meta.pageSize) === pageSize) return found;
  }
  return undefined;
}

/** The two tell of the last two commits in turn. */
function newer(first: Buffer | undefined, second: Buffer | undefined): Buffer | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const transaction = (each: Buffer): bigint => each.readBigUInt64LE(meta.transaction);
  return transaction(second) > transaction(first) ? second : first;
}

function readMeta(descriptor: number, position: number): Buffer | undefined {
  const bytes = Buffer.alloc(meta.size);
  if (readSync(descriptor, bytes, 0, meta.size, position) < meta.size) return undefined;
  return bytes.readUInt32LE(meta.magic) === magic && bytes.readUInt32LE(meta.version) === dataVersion
    ? bytes
    : undefined;
}

function rootAt(bytes: Buffer, at: number): Root {
  const depth = bytes.readUInt16LE(at + tree.depth);
  return { page: depth === 0 ? undefined : Number(bytes.readBigUInt64LE(at + tree.root)), depth };
}
