import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory } from '@moat/pki';

/**
 * An empty file beside a store that takes nothing: a full disk still has room for a name. A client that returns then is told
 * that its session is there, while the store goes on to say when it had left. Whoever finds the mark does not believe that.
 */
export class BehindMark {
  private readonly file: string;
  private isThere: boolean;
  /** So many operations have to be durable until the store is up to date. */
  private upTo = Number.POSITIVE_INFINITY;

  constructor(private readonly directory: string) {
    this.file = join(directory, 'behind');
    this.isThere = existsSync(this.file);
  }

  get isSet(): boolean {
    return this.isThere;
  }

  /** The store has ceased to take anything. Where not even this is possible, nothing more is: the failure is told anyway. */
  set(): void {
    if (this.isThere) return;
    try {
      writeFileSync(this.file, '', { mode: 0o600 });
      this.isThere = true;
    } catch {
      return;
    }
    syncDirectory(this.directory).catch(() => {});
  }

  /** Everything that the store was behind with is staged, up to an operation. */
  endsAt(upTo: number): void {
    this.upTo = upTo;
  }

  /** So many operations are durable. */
  reached(durable: number): void {
    if (!this.isThere || durable < this.upTo) return;
    try {
      rmSync(this.file, { force: true });
      this.isThere = false;
    } catch {
      this.upTo = Number.POSITIVE_INFINITY; // it stays until the next failure is over: some sessions live longer
    }
  }
}
