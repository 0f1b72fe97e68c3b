import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../../errors.js';
import type { Maintenance, StoreStats } from '../maintenance.js';
import { Compaction } from './compaction.js';
import type { Progress } from './transaction.js';
import type { Tree } from './tree.js';
import { copyTree, dataFile, storeFormat } from './tree-files.js';

/** As much of LMDB's own figures as is used here. */
interface TreeFigures {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}
interface Figures extends TreeFigures {
  readonly pageSize: number;
  readonly entryCount: number;
  readonly lastPageNumber: number;
  readonly free: TreeFigures;
}

const metaPages = 2;

/** What a store is made of, between two of its batches. */
export interface Underneath {
  /** Undefined when it could not be opened again: the store is closed then. */
  tree: Tree | undefined;
  progress: Progress;
  /** Is told of every batch that is written. */
  compaction: Compaction | undefined;
}

/** What looking after a store needs of it. */
interface MaintainedStore {
  commit(): Promise<void>;
  /** LMDB's own figures of the tree. */
  figures(): object;
  /** Runs `action` between two batches, while nobody writes; it may put something else in place of what it is given. */
  between<T>(action: (now: Underneath) => Promise<T>): Promise<T>;
}

/** Looks after an open store. */
export class LmdbMaintenance implements Maintenance {
  /** What is under way, and when it is over. */
  private underWay: Promise<unknown> | undefined = undefined;

  constructor(
    private readonly directory: string,
    private readonly store: MaintainedStore,
  ) {}

  stats(): StoreStats {
    const file = join(this.directory, dataFile);
    const figures = this.store.figures() as Figures;
    const { pageSize, lastPageNumber, entryCount, free } = figures;
    const used = metaPages + pagesOf(figures) + pagesOf(free);
    const freeBytes = Math.max(0, lastPageNumber + 1 - used) * pageSize;
    return { file, bytes: statSync(file).size, freeBytes, rows: entryCount, format: storeFormat };
  }

  backup(directory: string): Promise<void> {
    return this.alone(() => this.copyTo(directory));
  }

  compact(): Promise<{ before: number; after: number }> {
    return this.alone(async () => {
      const before = this.stats().bytes;
      await this.replaceByCopy();
      return { before, after: this.stats().bytes };
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.underWay?.catch(() => {}); // told to whoever asked for it
  }

  /** One at a time: a compaction closes the tree that a backup reads. */
  private async alone<T>(action: () => Promise<T>): Promise<T> {
    if (this.underWay !== undefined)
      throw new OperatorError('store.busy', 'a backup or a compaction is under way', { hint: 'wait for its end' });
    const result = action();
    this.underWay = result;
    try {
      return await result;
    } finally {
      this.underWay = undefined;
    }
  }

  private async copyTo(directory: string): Promise<void> {
    if (existsSync(directory) && readdirSync(directory).length > 0)
      throw new OperatorError('data_dir.unusable', `${directory} is not empty`, { hint: 'name a directory that is' });
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      await this.store.commit();
      const { copied } = await this.store.between(async (now) => ({ copied: copyTree(opened(now), directory, true) }));
      await copied;
    } catch (cause) {
      const message = `cannot back up to ${directory}: ${(cause as Error).message}`;
      throw new OperatorError('data_dir.unusable', message, { cause });
    }
  }

  private async replaceByCopy(): Promise<void> {
    const compaction = await this.store.between(async (now) => {
      now.compaction = await Compaction.begin(opened(now), this.directory, now.progress);
      return now.compaction;
    });
    try {
      const copy = await compaction.catchUp();
      await this.store.between(async (now) => {
        const { failure, ...finished } = await compaction.finish(opened(now), copy, now.progress);
        Object.assign(now, finished);
        if (failure !== undefined) throw failure;
      });
    } finally {
      await compaction.abandon();
      await this.store
        .between(async (now) => {
          now.compaction = undefined;
        })
        .catch(() => {}); // a store that is closed has none to be told of its batches
    }
  }
}

function opened({ tree }: Underneath): Tree {
  if (tree === undefined) throw new Error('the store is closed');
  return tree;
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TreeFigures): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}
