import { PageFile } from './page-file.js';

/**
 * What is wrong with an LMDB data file as far as its first two pages tell; undefined when nothing is.
 * Throws what the file system throws.
 */
export function damagedHead(file: string): string | undefined {
  return withPages(file, (pages) => {
    const { free, main } = pages.head;
    return [free, main].every(({ page = 0 }) => pages.has(page)) ? undefined : pages.tooShort;
  });
}

/**
 * What is wrong with the branches of its trees: whether all that they lead to is in the file. Reads no leaves, so that
 * a large store starts as fast as a small one. Nobody may write meanwhile. Throws as {@link damagedHead}.
 */
export function damagedBranches(file: string): string | undefined {
  return withPages(file, (pages) => {
    const open = [pages.head.free, pages.head.main].filter((root) => root.page !== undefined);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { page: number = 0, depth } = next;
      if (!pages.has(number)) return pages.tooShort;
      if (depth === 1) continue;
      const children = pages.branch(number);
      if (children === undefined) return `page ${number} is not what it was`;
      for (const child of children) open.push({ page: child, depth: depth - 1 });
    }
    return undefined;
  });
}

function withPages(file: string, look: (pages: PageFile) => string | undefined): string | undefined {
  const pages = PageFile.open(file);
  if (typeof pages === 'string') return pages;
  try {
    return pages.head.problem ?? look(pages);
  } finally {
    pages.close();
  }
}
