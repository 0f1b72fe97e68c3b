import { beginning, hashOf, type JournalRecord, parseRecord, tornMark } from './chain.js';
import { type JournalFile, listJournal, readLines } from './journal-files.js';

/** What `verifyJournal` found. */
export interface JournalReport {
  readonly files: number;
  readonly records: number;
  /** Of the first and the last record; undefined where there is none. */
  readonly first: Pick<JournalRecord, 'seq' | 'time'> | undefined;
  readonly last: Pick<JournalRecord, 'seq' | 'time'> | undefined;
  /** SHA-256 of the last line. */
  readonly head: string;
  /** Lines that a crash cut short, as `file:line`: nothing that was written whole is missing there. */
  readonly torn: readonly string[];
  /** What was changed, removed or moved, as `file:line:column: what`. */
  readonly problems: readonly string[];
}

/**
 * Follows the chain of a journal from its oldest file to its end. With `head`, a hash that was kept elsewhere, it also
 * tells whether the line of that hash is still there: what was cut off at the end, or written anew from some place on,
 * shows only so.
 */
export async function verifyJournal(
  directory: string,
  head?: string,
  progress: (file: string) => void = () => {},
): Promise<JournalReport> {
  const check = new ChainCheck(head);
  const files = await listJournal(directory);
  for (const [index, file] of files.entries()) {
    progress(file.path);
    const before = files[index - 1];
    if (before !== undefined && before.number + 1 !== file.number)
      check.problem(file, 1, `${file.number - before.number - 1} files before this one are missing`);
    const { lines, torn } = await readLines(file);
    for (const [at, line] of lines.entries()) check.line(file, at + 1, line);
    // The broker may be writing it at this moment.
    if (torn !== '' && index < files.length - 1) check.problem(file, lines.length + 1, 'the last line has no end');
  }
  return check.report(files.length);
}

class ChainCheck {
  private readonly problems: string[] = [];
  private readonly torn: string[] = [];
  private records = 0;
  private first: JournalRecord | undefined;
  private last: JournalRecord | undefined;
  private end: string | undefined;
  private headSeen = false;

  constructor(private readonly head: string | undefined) {}

  line(file: JournalFile, number: number, line: string): void {
    const hash = hashOf(line);
    const record = parseRecord(line);
    if (record !== undefined) this.record(file, number, record);
    else if (line.endsWith(tornMark)) this.torn.push(`${file.path}:${number}`);
    else this.problem(file, number, 'this line is no record');
    this.end = hash;
    this.headSeen ||= hash === this.head;
  }

  problem({ path }: JournalFile, line: number, what: string): void {
    this.problems.push(`${path}:${line}:1: ${what}`);
  }

  report(files: number): JournalReport {
    if (this.head !== undefined && !this.headSeen)
      this.problems.push(
        `no line has the hash ${this.head}: it was removed, or all from some place on was written anew`,
      );
    const { records, first, last, torn, problems } = this;
    return {
      files,
      records,
      first: first && { seq: first.seq, time: first.time },
      last: last && { seq: last.seq, time: last.time },
      head: this.end ?? beginning.head,
      torn,
      problems,
    };
  }

  private record(file: JournalFile, number: number, record: JournalRecord): void {
    const { last } = this;
    const missing = record.seq - (last?.seq ?? record.seq - 1) - 1;
    // The files before the oldest were removed as the limits say, unless there were none.
    const chained = record.prev === (this.end ?? (record.seq === 1 ? beginning.head : record.prev));
    if (missing > 0) this.problem(file, number, `${missing} records before this one are missing`);
    else if (missing < 0) this.problem(file, number, `record ${record.seq} stands behind record ${last?.seq}`);
    else if (!chained) this.problem(file, number, 'the line before this one was changed, or lines were removed');
    this.first ??= record;
    this.last = record;
    this.records++;
  }
}
