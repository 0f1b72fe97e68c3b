import { open } from 'node:fs/promises';
import { parseRecords } from './journal.js';

/** What was read of a file, up to the end of its last whole line. */
interface Known<T> {
  readonly inode: number;
  readonly size: number;
  readonly lines: number;
  readonly records: T[];
}

/**
 * The records of a journal, of which each reading takes what was appended since the one before: asking a long log
 * about one device costs no more than asking a short one. A file that was replaced or cut is read from its beginning.
 */
export class JournalReader<T> {
  #known: Known<T> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly parse: (value: unknown) => T | undefined,
  ) {}

  /**
   * Every record that whole lines hold, in their order.
   *
   * @throws PkiError `pki.invalid_file` with file and line, for a damaged line
   */
  read(): Promise<readonly T[]> {
    const reading = this.#last.then(() => this.#readOn());
    this.#last = reading.catch(() => {});
    return reading;
  }

  async #readOn(): Promise<readonly T[]> {
    const file = await open(this.path, 'r');
    try {
      const { ino: inode, size } = await file.stat();
      const old = this.#known;
      const known = old?.inode === inode && old.size <= size ? old : { inode, size: 0, lines: 0, records: [] };
      const bytes = Buffer.alloc(size - known.size);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, known.size);
      const whole = bytes.subarray(0, bytes.subarray(0, bytesRead).lastIndexOf(0x0a) + 1);
      const { lines, records } = parseRecords(this.path, whole.toString(), known.lines, this.parse);
      for (const record of records) known.records.push(record);
      this.#known = { inode, size: known.size + whole.length, lines: known.lines + lines, records: known.records };
      return known.records;
    } finally {
      await file.close();
    }
  }
}
