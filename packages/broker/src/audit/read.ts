import { type JournalRecord, parseRecord } from './chain.js';
import { type JournalFile, listJournal, readLines } from './journal-files.js';

/** Records of one file, the oldest first. */
async function recordsOf(file: JournalFile): Promise<JournalRecord[]> {
  return (await readLines(file)).lines.flatMap((line) => parseRecord(line) ?? []);
}

/** All records of a journal that are wanted and not older than `since` (wall-clock milliseconds), the oldest first. */
export async function* readJournal(
  directory: string,
  isWanted: (record: JournalRecord) => boolean,
  since = 0,
): AsyncGenerator<JournalRecord> {
  for (const file of await listJournal(directory)) {
    for (const record of await recordsOf(file)) if (record.time >= since && isWanted(record)) yield record;
  }
}

/** The last `count` of them. Reads no more files than it must. */
export async function lastRecords(
  directory: string,
  count: number,
  isWanted: (record: JournalRecord) => boolean,
  since = 0,
): Promise<JournalRecord[]> {
  let found: JournalRecord[] = [];
  for (const file of (await listJournal(directory)).toReversed()) {
    const records = await recordsOf(file);
    found = [...records.filter((record) => record.time >= since && isWanted(record)), ...found];
    if (found.length >= count || (records[0]?.time ?? since) < since) break;
  }
  return found.slice(-count);
}
