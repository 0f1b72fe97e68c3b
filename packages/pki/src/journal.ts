import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { PkiError } from './errors.js';
import { parseJson } from './json.js';

/**
 * Files of one JSON object a line that only ever grow.
 *
 * Invariants:
 * - Lines appended by several processes at once all arrive, whole and in one order: each append is one write to a
 *   file opened with O_APPEND.
 * - An append that has returned survives a power cut.
 * - A line cut short by a crash counts for nothing: its writer never got an answer. The next append ends it with
 *   the mark below, which no line of JSON ends with, so that it is told from a line damaged otherwise.
 */
const TORN = '#torn';

const NEWLINE = 0x0a;

/** Appends the records to a file that exists, in one write, and makes them durable. */
export async function appendRecords(path: string, records: readonly object[]): Promise<void> {
  const file = await open(path, constants.O_RDWR | constants.O_APPEND);
  try {
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    const bytes = Buffer.from((await endsTorn(file)) ? `${TORN}\n${lines}` : lines);
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten < bytes.length) throw new Error(`${path}: only ${bytesWritten} of ${bytes.length} bytes written`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** While another process appends this may see half of its line: the mark then stands on a line of its own. */
async function endsTorn(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== NEWLINE;
}

/**
 * The records of whole lines; `parse` turns the value of a line into a record, or gives undefined if it is none.
 *
 * @param before lines of the file in front of these
 * @throws PkiError `pki.invalid_file` with file and line, for a damaged line: to pass over one in the list of the
 *   revoked would quietly readmit a device
 */
export function parseRecords<T>(
  path: string,
  text: string,
  before: number,
  parse: (value: unknown) => T | undefined,
): { readonly lines: number; readonly records: readonly T[] } {
  // What follows the last newline is empty, or torn.
  const lines = text.split('\n').slice(0, -1);
  const records = lines.flatMap((line, index) => {
    if (line.endsWith(TORN)) return [];
    const record = parse(parseJson(line));
    if (record === undefined) throw new PkiError('pki.invalid_file', `${path}:${before + index + 1}:1: damaged line`);
    return [record];
  });
  return { lines: lines.length, records };
}
