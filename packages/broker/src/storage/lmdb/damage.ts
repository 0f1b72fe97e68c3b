import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

// LMDB maps its file and trusts it: a process that maps a damaged one may end without a word. So the file is looked at
// before. Where things stand is LMDB's data format 2, little-endian as on every platform that Node runs on.

const meta = { size: 160, magic: 24, version: 28, pageSize: 48, freeTree: 48, mainTree: 96, transaction: 152 } as const;
const tree = { depth: 6, root: 40 } as const;
const page = { number: 0, flags: 18, lower: 20, header: 24 } as const;
const magic = 0xbe_ef_c0_de;
const dataVersion = 2;
const branchFlag = 1;

interface Root {
  /** Undefined when the tree has no pages. */
  readonly page: number | undefined;
  readonly depth: number;
}

interface Head {
  readonly pageSize: number;
  /** Whole pages in the file. */
  readonly pages: number;
  readonly roots: readonly Root[];
}

/**
 * What is wrong with an LMDB data file as far as its first two pages tell; undefined when nothing is.
 * Throws what the file system throws.
 */
export function damagedHead(file: string): string | undefined {
  return withFile(file, (descriptor) => {
    const head = readHead(descriptor);
    if (typeof head === 'string') return head;
    return head.roots.some((root) => (root.page ?? 0) >= head.pages) ? tooShort(head) : undefined;
  });
}

/**
 * What is wrong with the branches of its trees: whether all that they lead to is in the file. Reads no leaves, so that
 * a large store starts as fast as a small one. Nobody may write meanwhile. Throws as {@link damagedHead}.
 */
export function damagedBranches(file: string): string | undefined {
  return withFile(file, (descriptor) => {
    const head = readHead(descriptor);
    if (typeof head === 'string') return head;
    const open = head.roots.filter((root) => root.page !== undefined);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { page: number = 0, depth } = next;
      if (number >= head.pages) return tooShort(head);
      if (depth === 1) continue;
      const children = branchesOf(descriptor, head.pageSize, number);
      if (children === undefined) return `page ${number} is not what it was`;
      for (const child of children) open.push({ page: child, depth: depth - 1 });
    }
    return undefined;
  });
}

/** The pages that a branch page leads to; undefined when it is none. */
function branchesOf(descriptor: number, pageSize: number, number: number): number[] | undefined {
  const bytes = Buffer.alloc(pageSize);
  readSync(descriptor, bytes, 0, pageSize, number * pageSize);
  const end = page.header + bytes.readUInt16LE(page.lower);
  const isBranch = (bytes.readUInt16LE(page.flags) & branchFlag) !== 0 && bytes.readUIntLE(page.number, 6) === number;
  if (!isBranch || end > pageSize) return undefined;
  const children: number[] = [];
  for (let at = page.header; at < end; at += 2) {
    const node = page.header + bytes.readUInt16LE(at); // counted from behind the header
    if (node + 6 > pageSize) return undefined;
    children.push(bytes.readUIntLE(node, 6));
  }
  return children;
}

function readHead(descriptor: number): Head | string {
  const first = readMeta(descriptor, 0);
  if (first === undefined) return 'it does not begin as a store does';
  const pageSize = first.readUInt32LE(meta.pageSize);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return 'its page size makes no sense';
  const second = readMeta(descriptor, pageSize);
  if (second?.readUInt32LE(meta.pageSize) !== pageSize) return 'its second page is not what it was';
  const transaction = (each: Buffer): bigint => each.readBigUInt64LE(meta.transaction);
  const newest = transaction(second) > transaction(first) ? second : first;
  const pages = Math.floor(fstatSync(descriptor).size / pageSize);
  return { pageSize, pages, roots: [meta.freeTree, meta.mainTree].map((at) => rootAt(newest, at)) };
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

function tooShort({ pages, pageSize }: Head): string {
  return `it ends after ${pages * pageSize} bytes, before something that it refers to`;
}

function withFile<T>(file: string, look: (descriptor: number) => T): T {
  const descriptor = openSync(file, 'r');
  try {
    return look(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
