import type { FileHandle } from 'node:fs/promises';
import { mkdir, rm } from 'node:fs/promises';
import { OperatorError } from '../errors.js';
import type { AuditCode, AuditFields, AuditKeeper } from './audit.js';
import { type ChainEnd, hashOf, lineBehind, tornMark } from './chain.js';
import { endOf, type JournalFile, journalFile, listJournal, openToAppend } from './journal-files.js';
import type { Log } from './log.js';
import { Repetition } from './repetition.js';

/** Bounds of a journal, as the configuration names them. */
export interface JournalLimits {
  /** Bytes; the next record goes into a new file. */
  readonly max_file_size: number;
  /** The oldest goes when there are more. */
  readonly max_files: number;
}

/** Records that wait while the disk takes none. */
const mostWaiting = 10_000;
/** Milliseconds between two tries on a disk that fails, and between looks at what is repeated. */
const retryAfter = 1_000;

interface Waiting {
  readonly time: number;
  readonly code: AuditCode;
  readonly fields: AuditFields;
}

/**
 * The security events on disk, one JSON object a line, each chained to the one before by its hash (`prev`), so that
 * `moat audit verify` finds what was changed, removed or moved.
 *
 * ```
 *   record ─> [ waiting ] ─one write and one fdatasync for all─> audit-00000003.jsonl ─full─> audit-00000004.jsonl
 * ```
 *
 * Invariants: recording never waits for the disk; what waits is bounded, and what could not be kept is told by its number
 * when the disk takes records again; one process at a time writes, which is the broker that holds the data directory.
 */
export class Journal implements AuditKeeper {
  /** Why nothing can be written; undefined while all is well. */
  failure: Error | undefined;
  private waiting: Waiting[] = [];
  private lost = 0;
  private readonly repetition = new Repetition();
  private writing: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private readonly look: NodeJS.Timeout;
  private closed = false;

  private constructor(
    private readonly directory: string,
    public limits: JournalLimits,
    private readonly log: Log,
    private files: JournalFile[],
    private handle: FileHandle,
    private size: number,
    private end: ChainEnd,
    /** Whether the last line was cut short, and is to be ended by a mark first. */
    private torn: boolean,
    /** Told when writing begins to fail, and when it goes on. */
    private readonly changed: (failure: Error | undefined) => void,
  ) {
    this.look = setInterval(() => this.tellRepeated(), retryAfter).unref();
    this.tellHead();
  }

  /** Opens or makes the journal in a directory; nothing is written yet, for the disk may be full. @throws OperatorError `data_dir.unusable` */
  static async open(
    directory: string,
    limits: JournalLimits,
    log: Log,
    changed: (failure: Error | undefined) => void,
  ): Promise<Journal> {
    const { files, handle, size, end, torn } = await openFiles(directory);
    const journal = new Journal(directory, limits, log, files, handle, size, end, torn, changed);
    if (torn) journal.record('audit.torn', { reason: 'the last line was cut short by a crash' });
    return journal;
  }

  record(code: AuditCode, fields: AuditFields): void {
    if (this.closed || !this.repetition.isTold(code, fields.address, fields.count ?? 1)) return;
    this.add({ time: Date.now(), code, fields });
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    clearInterval(this.look);
    this.tellRepeated(true);
    this.closed = true;
    await this.writing;
    clearTimeout(this.retry);
    this.tellHead();
    await this.handle.close();
  }

  private add(record: Waiting): void {
    if (this.waiting.length >= mostWaiting) {
      this.lost++;
      return;
    }
    this.waiting.push(record);
    if (this.failure === undefined) this.writing ??= this.write();
  }

  private tellRepeated(early = false): void {
    const time = Date.now();
    for (const { code, fields } of this.repetition.due(time, early)) this.add({ time, code, fields });
  }

  private async write(): Promise<void> {
    await undefined; // whatever this turn brings goes along
    try {
      while (this.waiting.length > 0) {
        await this.writeWaiting();
        if (this.failure !== undefined) this.recovered();
      }
    } catch (error) {
      this.failed(error as Error);
    } finally {
      this.writing = undefined;
    }
  }

  /** Until all is on disk it stays in `waiting`; a try that failed may have left a part of a line. */
  private async writeWaiting(): Promise<void> {
    if (this.failure !== undefined) await this.reopen();
    if (this.size >= this.limits.max_file_size) await this.rotate();
    const room = this.limits.max_file_size - this.size;
    let end = this.end;
    let text = this.torn ? `${tornMark}\n` : '';
    let count = 0;
    for (const { time, code, fields } of this.waiting) {
      if (text.length >= room) break;
      const line = lineBehind(end, time, code, fields);
      end = { seq: end.seq + 1, head: hashOf(line) };
      text += `${line}\n`;
      count++;
    }
    const bytes = Buffer.from(text);
    await this.handle.writeFile(bytes);
    await this.handle.datasync();
    this.size += bytes.length;
    this.torn = false;
    this.end = end;
    this.waiting = this.waiting.slice(count);
  }

  private async rotate(): Promise<void> {
    const next = journalFile(this.directory, (this.files.at(-1)?.number ?? 0) + 1);
    const { handle, size } = await openToAppend(next);
    await this.handle.close();
    this.handle = handle;
    this.size = size;
    this.files.push(next);
    this.tellHead();
    while (this.files.length > this.limits.max_files) {
      const [oldest] = this.files.splice(0, 1);
      if (oldest !== undefined) await rm(oldest.path, { force: true });
    }
  }

  private async reopen(): Promise<void> {
    await this.handle.close().catch(() => {});
    const { handle, size, end, torn } = await resume(this.files);
    this.handle = handle;
    this.size = size;
    this.torn = torn;
    this.waiting = this.waiting.slice(end.seq - this.end.seq); // those that got there before it failed
    this.end = end;
  }

  private failed(error: Error): void {
    if (this.failure === undefined) {
      this.failure = error;
      this.changed(error);
    }
    if (this.closed) return;
    this.retry = setTimeout(() => {
      this.writing ??= this.write();
    }, retryAfter).unref();
  }

  private recovered(): void {
    this.failure = undefined;
    const { lost } = this;
    this.lost = 0;
    this.changed(undefined);
    if (lost > 0) this.record('audit.lost', { count: lost, reason: 'they could not be written' });
  }

  /** In the log, which may lie elsewhere: with it `moat audit verify --head` finds what was cut off at the end. */
  private tellHead(): void {
    const { seq, head } = this.end;
    this.log.info({ file: this.files.at(-1)?.path, seq, head }, 'audit journal');
  }
}

async function openFiles(directory: string) {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const files = await listJournal(directory);
    if (files.length === 0) files.push(journalFile(directory, 1));
    return { files, ...(await resume(files)) };
  } catch (cause) {
    const message = `cannot write the audit journal in ${directory}: ${(cause as Error).message}`;
    throw new OperatorError('data_dir.unusable', message, { cause });
  }
}

/** Opens the last of these files where its chain ends. */
async function resume(files: readonly JournalFile[]) {
  const { handle, size } = await openToAppend(files.at(-1) as JournalFile);
  try {
    const { torn, ...end } = await endOf(files);
    return { handle, size, end, torn };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
