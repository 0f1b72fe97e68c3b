import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beginning, type ChainEnd, hashOf, parseRecord, tornMark } from './chain.js';

const pattern = /^audit-(\d{8})\.jsonl$/;

/** One file of the journal. */
export interface JournalFile {
  readonly path: string;
  /** Counts up by one from file to file. */
  readonly number: number;
}

export function journalFile(directory: string, number: number): JournalFile {
  return { path: join(directory, `audit-${String(number).padStart(8, '0')}.jsonl`), number };
}

/** The files of a journal, the oldest first; none if there is no such directory. */
export async function listJournal(directory: string): Promise<JournalFile[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
    .map((number) => journalFile(directory, number));
}

/** The lines of a file; `torn` is what a crash has left behind the last line end. */
export async function readLines({ path }: JournalFile): Promise<{ lines: string[]; torn: string }> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return { torn: lines.pop() ?? '', lines };
}

/**
 * Where the chain of these files ends. If the last of them ends in the middle of a line (`torn`), the chain goes on behind
 * the mark that is to end that line.
 */
export async function endOf(files: readonly JournalFile[]): Promise<ChainEnd & { readonly torn: boolean }> {
  let head: string | undefined;
  let torn = false;
  for (const file of files.toReversed()) {
    const { lines, torn: rest } = await readLines(file);
    if (file === files.at(-1) && rest !== '') {
      torn = true;
      head = hashOf(rest + tornMark);
    }
    const last = lines.at(-1);
    if (last !== undefined) head ??= hashOf(last);
    const record = lines.toReversed().map(parseRecord).find(Boolean);
    if (record !== undefined) return { seq: record.seq, head: head ?? beginning.head, torn };
  }
  return { seq: 0, head: head ?? beginning.head, torn };
}

/** Opens a file to add to it, and tells its size in bytes. */
export async function openToAppend({ path }: JournalFile) {
  const handle = await open(path, 'a', 0o600);
  try {
    return { handle, size: (await handle.stat()).size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
