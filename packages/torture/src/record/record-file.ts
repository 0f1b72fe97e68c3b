import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { now, type Timed } from './event.js';

/**
 * A file to which one line is added for each event, by one write, before the event counts. It outlives the process that
 * writes it, so a client that is killed takes up its own state from it.
 */
export class RecordFile<T extends object> {
  private constructor(private readonly descriptor: number) {}

  /** Opens it to go on writing. What a killed process did not write to its end did not happen. */
  static open<T extends object>(path: string): RecordFile<T> {
    if (existsSync(path)) truncateSync(path, wholeLines(readFileSync(path)).length);
    return new RecordFile(openSync(path, 'a'));
  }

  write(event: T): Timed<T> {
    const timed = { at: now(), ...event };
    writeSync(this.descriptor, `${JSON.stringify(timed)}\n`);
    return timed;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** All that a record holds, in order; nothing when there is none. */
export function readRecord<T extends object>(path: string): Timed<T>[] {
  if (!existsSync(path)) return [];
  const lines = wholeLines(readFileSync(path)).toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Timed<T>);
}

function wholeLines(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
}
