import { open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { type JournalRecord, parseRecord } from './chain.js';
import { type JournalFile, listJournal } from './journal-files.js';

/** Milliseconds between two looks. */
const interval = 250;

/** The records that are added from when it resolves, until `signal` is aborted. */
export async function followJournal(directory: string, signal: AbortSignal): Promise<AsyncGenerator<JournalRecord>> {
  const tail = new Tail(directory);
  await tail.begin();
  return recordsBehind(tail, signal);
}

async function* recordsBehind(tail: Tail, signal: AbortSignal): AsyncGenerator<JournalRecord> {
  while (!signal.aborted) {
    await wait(interval, undefined, { signal }).catch(() => {});
    for (const line of await tail.read()) {
      const record = parseRecord(line);
      if (record !== undefined) yield record;
    }
  }
}

/** How far a growing journal has been read. */
class Tail {
  private number = 0;
  private offset = 0;

  constructor(private readonly directory: string) {}

  /** Goes behind the whole lines that there are. */
  async begin(): Promise<void> {
    const last = (await listJournal(this.directory)).at(-1);
    if (last === undefined) return;
    this.number = last.number;
    await this.readMore(last);
  }

  /** The whole lines that are new. */
  async read(): Promise<string[]> {
    const lines: string[] = [];
    for (const file of await listJournal(this.directory)) {
      if (file.number < this.number) continue;
      if (file.number > this.number) this.offset = 0;
      this.number = file.number;
      lines.push(...(await this.readMore(file)));
    }
    return lines;
  }

  private async readMore({ path }: JournalFile): Promise<string[]> {
    const handle = await open(path);
    try {
      const length = (await handle.stat()).size - this.offset;
      if (length <= 0) return [];
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, this.offset);
      const whole = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
      this.offset += whole;
      return buffer.toString('utf8', 0, whole).split('\n').slice(0, -1);
    } finally {
      await handle.close();
    }
  }
}
