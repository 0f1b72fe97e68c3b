import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@moat/pki';
import type { Log } from '../audit/log.js';

/** A log of the authority that only grows. */
export interface GrowingLog {
  /** What it is called, in messages. */
  readonly name: string;
  /** Keeps how far the audit has got. */
  readonly position: string;
  /** How many records it has. */
  count(): Promise<number>;
  /** Puts those from the first number to behind the second into the audit. */
  tell(from: number, to: number): Promise<void>;
  /** Records are missing that were there. */
  cut(has: number, had: number): void;
}

/**
 * How much of a log is in the audit. The position on disk lags until the next record is told: a crash may tell some again,
 * and leaves none out.
 */
export class LogTail {
  private told = 0;

  constructor(
    private readonly log: GrowingLog,
    private readonly operator: Log,
  ) {}

  async start(): Promise<void> {
    this.told = Number.parseInt(await readFile(this.log.position, 'utf8').catch(() => '0'), 10) || 0;
  }

  /** Tells what is new. */
  async look(): Promise<void> {
    const { log, told } = this;
    try {
      const count = await log.count();
      if (count === told) return;
      await this.keepPosition();
      if (count < told) log.cut(count, told);
      else await log.tell(told, count);
      this.told = count;
    } catch (error) {
      // Without an authority of its own a broker has nothing to tell.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.operator.error({ reason: String(error) }, `cannot read the ${log.name}`);
    }
  }

  async keepPosition(): Promise<void> {
    if (this.told === 0) return;
    const { position } = this.log;
    await writeFileAtomic(position, `${this.told}\n`, 0o600, position).catch((error: Error) => {
      this.operator.warn({ reason: error.message }, `cannot note how much of the ${this.log.name} is in the audit`);
    });
  }
}
