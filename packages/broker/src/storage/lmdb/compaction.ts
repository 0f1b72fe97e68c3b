import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { giveToOwnerOf } from '@moat/pki';
import { OperatorError } from '../../errors.js';
import type { Batch } from './batch.js';
import { type Progress, Transaction } from './transaction.js';
import type { Tree } from './tree.js';
import { compactionDirectory, copyTree, dataFile, openTree, syncPath } from './tree-files.js';

/** Beyond so many bytes, held in memory until the copy has them too, the store is written faster than the copy: it is given up. */
const mostBytes = 268_435_456;
const pollDelay = 1;

/** What a store goes on with. */
interface Finished {
  readonly tree: Tree | undefined;
  readonly progress: Progress;
  readonly failure: unknown;
}

/**
 * A copy of a store without its free pages, which catches up with what is written meanwhile and then takes its place.
 *
 * ```
 *   store  ──batch──batch──batch──batch──┐ closed
 *   copy      └─snapshot─ batch ─ batch ─┴─ renamed: the store
 * ```
 *
 * Invariant: until the rename the store is the old file, behind it the new one; both hold all that is durable.
 */
export class Compaction {
  private readonly behind: Batch[] = [];
  private bytes = 0;
  private failure: Error | undefined;
  private readonly target: string;
  private copy: Tree | undefined;

  private constructor(
    private readonly directory: string,
    private readonly copied: Promise<void>,
    private readonly progress: Progress,
    private readonly most: number,
  ) {
    this.target = compactionDirectory(directory);
    copied.catch((error: Error) => {
      this.failure = error;
    });
  }

  /** Begins a copy. Nobody may write until it resolves: from then on every batch is to be told to {@link wrote}. */
  static async begin(tree: Tree, directory: string, progress: Progress, most = mostBytes): Promise<Compaction> {
    const target = compactionDirectory(directory);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { mode: 0o700 });
    let over = false;
    const copied = copyTree(tree, target, true).finally(() => {
      over = true;
    });
    const compaction = new Compaction(directory, copied, { ...progress }, most);
    // Its snapshot is taken before the first byte is written.
    while (!over && !hasBytes(join(target, dataFile))) await delay(pollDelay);
    return compaction;
  }

  /** A batch was written to the store. */
  wrote(batch: Batch): void {
    if (this.failure !== undefined) return;
    this.behind.push(batch);
    this.bytes += batch.bytes;
    if (this.bytes <= this.most) return;
    this.behind.length = 0;
    this.failure = new OperatorError('store.busy', 'more is written than a compaction can keep up with', {
      hint: 'try again when the broker has less to do',
    });
  }

  /** Opens the copy and applies what was written since its snapshot. */
  async catchUp(): Promise<Tree> {
    await this.copied;
    this.copy = openTree(this.directory, this.target);
    await this.apply(this.copy);
    return this.copy;
  }

  /**
   * Applies what is left, and puts the copy in the place of the store. Nobody may write until it resolves. Whatever fails
   * once the old tree is closed is told in `failure`, beside the tree that is to be used: the old file, opened again, or the
   * new one; none when neither can be opened.
   */
  async finish(tree: Tree, copy: Tree, before: Progress): Promise<Finished> {
    await this.apply(copy);
    await copy.close();
    this.copy = undefined;
    syncPath(join(this.target, dataFile));
    await tree.close();
    let progress = before;
    let failure: unknown;
    const [file, compacted] = [join(this.directory, dataFile), join(this.target, dataFile)];
    try {
      await leaveToOwner(file, compacted);
      renameSync(compacted, file);
      progress = this.progress;
      syncPath(this.directory);
    } catch (error) {
      failure = error;
    }
    await this.abandon();
    try {
      return { tree: openTree(this.directory, this.directory), progress, failure };
    } catch (error) {
      return { tree: undefined, progress, failure: error };
    }
  }

  /** Leaves nothing of the copy behind. */
  async abandon(): Promise<void> {
    await this.copy?.close();
    rmSync(this.target, { recursive: true, force: true });
  }

  private async apply(copy: Tree): Promise<void> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure;
      const batch = this.behind.shift();
      if (batch === undefined) return;
      this.bytes -= batch.bytes;
      await copy.transaction(() => batch.replay(new Transaction(copy, this.progress)));
    }
  }
}

function hasBytes(file: string): boolean {
  return existsSync(file) && statSync(file).size > 0;
}

/** Whoever compacts a store, it stays with whom it belonged to. */
async function leaveToOwner(file: string, compacted: string): Promise<void> {
  const copy = await open(compacted);
  try {
    await giveToOwnerOf(file, copy);
  } finally {
    await copy.close();
  }
}
