/** What of a process's memory is its own: not the pages of files that the kernel keeps for it (proc(5)). */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Resident bytes that no file is behind. */
export function ownBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Anonymous:\s+(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
}

const chunkBytes = 1_048_576;

/** How often `mark` is in the memory that no file is behind. */
export function countInOwnMemory(pid: number, mark: Buffer): number {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    return ownRanges(pid).reduce((sum, range) => sum + countIn(memory, range, mark), 0);
  } finally {
    closeSync(memory);
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function ownRanges(pid: number): Range[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n');
  return lines.flatMap((line) => {
    // address perms offset dev inode path: what has no inode has no file.
    const [, start, end, inode] = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ (\d+)/.exec(line) ?? [];
    if (start === undefined || end === undefined || inode !== '0' || line.includes('[v')) return [];
    return [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }];
  });
}

function countIn(memory: number, { start, end }: Range, mark: Buffer): number {
  const overlap = mark.length - 1;
  const chunk = Buffer.alloc(chunkBytes + overlap);
  let count = 0;
  for (let from = start; from < end; from += chunkBytes) {
    const length = readAt(memory, chunk, from, Math.min(chunk.length, end - from));
    const read = chunk.subarray(0, length);
    for (let at = read.indexOf(mark); at >= 0; at = read.indexOf(mark, at + 1)) count++;
  }
  return count;
}

/** Bytes that were read; 0 where nothing is mapped any more. */
function readAt(memory: number, chunk: Buffer, from: number, length: number): number {
  try {
    return readSync(memory, chunk, 0, length, from);
  } catch {
    return 0;
  }
}
