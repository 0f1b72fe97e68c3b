import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  MessageRecord,
  QueueEntry,
  ReceivedRecord,
  RestoredSession,
  RetainedRecord,
  SessionRecord,
  Store,
  SubscriptionRecord,
} from '../store.js';
import { Batch, type Operation } from './batch.js';
import { BehindMark } from './behind-mark.js';
import type { Compaction } from './compaction.js';
import { allBodies, allQueues, allSessions, retainedKey } from './keys.js';
import { LmdbMaintenance, type Underneath } from './lmdb-maintenance.js';
import { readQueue, readRetainedOf, readSessions } from './reader.js';
import { packRetained } from './records.js';
import { scanRetained } from './retained-scan.js';
import { type Progress, Transaction } from './transaction.js';
import { highestNumber, type Tree } from './tree.js';

/** What nobody waits for reaches the disk after this time, in milliseconds. */
const longestDelay = 50;
/** After a failure the store tries again by itself after this time, in milliseconds; a commit that is asked for, at once. */
const retryDelay = 1_000;

/**
 * The durable store: one LMDB tree.
 *
 * ```
 *   stage ─> [ pending batch ] ─one transaction─> [ under way ] ─fdatasync─> commit() resolves
 * ```
 *
 * One batch is under way at a time and the next gathers meanwhile: an idle store commits at once, a busy one shares
 * each flush among all that came during the last.
 *
 * Invariants: a batch is cut between two turns of the event loop, and is written as a whole or not at all; a batch
 * that failed is the beginning of the next, so what is in memory and what comes to be on disk stay the same.
 */
export class LmdbStore implements Store {
  staged = 0;
  durable = 0;
  failure: Error | undefined = undefined;
  private failureChanged: (failure: Error | undefined) => void = () => {};
  private pending = new Batch();
  private underWay: Batch | undefined = undefined;
  private running = false;
  /** Whether the tree is in other hands: no one else reads it meanwhile. */
  private lent = false;
  private closed = false;
  private closing: Promise<void> | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private progress: Progress;
  /** What is to be done between two batches. */
  private readonly errands: (() => Promise<void>)[] = [];
  private compaction: Compaction | undefined = undefined;
  private readonly behind: BehindMark;
  readonly maintenance: LmdbMaintenance;

  /** Of a tree that {@link openLmdbStore} has found good; calls `onClose` when it is closed. */
  constructor(
    private tree: Tree,
    directory: string,
    private readonly onClose: () => void,
  ) {
    this.behind = new BehindMark(directory);
    this.maintenance = new LmdbMaintenance(directory, this);
    const session = Math.max(highestNumber(tree, allSessions), highestNumber(tree, allQueues));
    this.progress = { session, body: highestNumber(tree, allBodies), clearing: true };
  }

  watch(changed: (failure: Error | undefined) => void): void {
    this.failureChanged = changed;
  }

  commit(): Promise<void> {
    if (this.pending.isEmpty) return this.underWay?.done ?? Promise.resolve();
    const { done } = this.pending;
    this.want();
    return done;
  }

  putSession(session: SessionRecord): void {
    this.stage({ apply: (transaction) => transaction.putSession(session) });
  }

  deleteSession(clientId: string): void {
    this.pending.reach(clientId, Number.POSITIVE_INFINITY);
    this.stage({ apply: (transaction) => transaction.deleteSession(clientId) });
  }

  putSubscription(clientId: string, subscription: SubscriptionRecord): void {
    this.stage({ apply: (transaction) => transaction.putSubscription(clientId, subscription) });
  }

  deleteSubscription(clientId: string, filter: string): void {
    this.stage({ apply: (transaction) => transaction.deleteSubscription(clientId, filter) });
  }

  enqueue(clientId: string, entry: QueueEntry): void {
    this.count();
    this.pending.enqueue(clientId, entry);
  }

  release(clientId: string, position: number): void {
    this.pending.reach(clientId, position);
    this.stage({ apply: (transaction) => transaction.release(clientId, position) });
  }

  dequeue(clientId: string, position: number): void {
    this.count();
    this.pending.dequeue(clientId, position);
  }

  dequeueFirst(clientId: string, after: number): Promise<number> {
    this.count();
    this.pending.reach(clientId, Number.POSITIVE_INFINITY);
    return new Promise((resolve) => {
      this.pending.stageBehind({ apply: (transaction) => resolve(transaction.dequeueFirst(clientId, after)) });
    });
  }

  readQueue(clientId: string, after: number, limit: number): Promise<readonly QueueEntry[]> {
    // A long queue is fetched without a commit for each page of it: what is acknowledged meanwhile lies before the next.
    const isSettled = (batch: Batch): boolean => batch.leavesQueue(clientId, after);
    return this.read((tree) => readQueue(tree, clientId, after, limit), isSettled);
  }

  putReceived(clientId: string, received: ReceivedRecord): void {
    const payload = received.message?.payload.length;
    this.stage({ apply: (transaction) => transaction.putReceived(clientId, received) }, payload);
  }

  deleteReceived(clientId: string, packetId: number): void {
    this.stage({ apply: (transaction) => transaction.deleteReceived(clientId, packetId) });
  }

  readRetained(topics: readonly string[]): Promise<readonly MessageRecord[]> {
    return this.read((tree) => readRetainedOf(tree, topics));
  }

  putRetained(message: MessageRecord, owner: string | undefined): void {
    this.stage(
      { apply: ({ tree }) => tree.putSync(retainedKey(message.topic), packRetained(message, owner)) },
      message.payload.length,
    );
  }

  deleteRetained(topic: string): void {
    this.stage({ apply: ({ tree }) => void tree.removeSync(retainedKey(topic)) });
  }

  async *sessions(): AsyncIterable<readonly RestoredSession[]> {
    await this.commit();
    const { isSet } = this.behind;
    for (const some of readSessions(this.tree)) yield isSet ? some.map(asIfThere) : some;
    this.behind.endsAt(this.staged);
  }

  async *retained(): AsyncIterable<readonly RetainedRecord[]> {
    await this.commit();
    yield* scanRetained(this.tree);
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  /** LMDB's own figures of the tree. */
  figures(): object {
    if (this.closed) throw closedError();
    return this.tree.getStats();
  }

  /** Runs `action` between two batches, while nobody writes; it may put something else in place of what it is given. */
  between<T>(action: (now: Underneath) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.closed) throw closedError();
      this.errands.push(async () => {
        const now: Underneath = { tree: this.tree, progress: this.progress, compaction: this.compaction };
        this.lent = true;
        await action(now).then(resolve, reject);
        this.lent = false;
        const { tree, progress, compaction } = now;
        Object.assign(this, { progress, compaction });
        // LMDB would read and write memory that is no longer mapped.
        if (tree === undefined) this.closed = true;
        else this.tree = tree;
      });
      if (!this.running) void this.run();
    });
  }

  /** Reads now, or behind what is staged and not written, where that is not `settled`: where it changes what is read. */
  private read<T>(from: (tree: Tree) => T, isSettled = (batch: Batch): boolean => batch.isEmpty): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw closedError(); // LMDB would read memory that is no longer mapped
      const apply = (tree: Tree): void => resolve(from(tree));
      if (!this.lent && isSettled(this.pending) && (this.underWay === undefined || isSettled(this.underWay))) {
        apply(this.tree);
        return;
      }
      this.pending.stageBehind({ apply: (transaction) => apply(transaction.tree), fail: reject });
      this.commit().catch(() => {}); // told by `fail`
    });
  }

  private async shut(): Promise<void> {
    await this.maintenance.idle();
    this.closed = true;
    clearTimeout(this.timer);
    try {
      await this.commit();
    } finally {
      await this.tree.close();
      this.onClose();
    }
  }

  private stage(operation: Operation, payload?: number): void {
    this.count();
    this.pending.stage(operation, payload);
  }

  private count(): void {
    this.staged++;
    this.arm();
  }

  private arm(delay = longestDelay): void {
    if (this.timer !== undefined || this.closed) return;
    this.timer = setTimeout(() => this.want(), delay);
    this.timer.unref();
  }

  private want(): void {
    this.pending.wanted = true;
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    for (;;) {
      const errand = this.errands.shift();
      if (errand !== undefined) await errand();
      else if (this.pending.wanted) await this.write();
      else break;
    }
    this.running = false;
  }

  /** Writes what is pending when LMDB has a transaction for it. */
  private async write(): Promise<void> {
    let upTo = this.durable;
    try {
      await this.tree.childTransaction(() => {
        upTo = this.staged;
        this.underWay = this.cut();
        this.underWay.apply(new Transaction(this.tree, this.progress));
      });
      this.durable = upTo;
      if (this.underWay !== undefined) this.compaction?.wrote(this.underWay);
      this.underWay?.succeed();
      this.settle(undefined);
      this.behind.reached(this.durable);
      if (this.progress.clearing) this.arm();
    } catch (error) {
      const failed = this.underWay ?? this.cut();
      this.progress.clearing = true;
      const reason = await reasonOf(error);
      failed.fail(reason, this.pending);
      this.settle(reason);
      this.arm(retryDelay);
    }
    this.underWay = undefined;
  }

  private settle(failure: Error | undefined): void {
    const changed = (this.failure === undefined) !== (failure === undefined);
    this.failure = failure;
    if (!changed) return;
    if (failure !== undefined) this.behind.set();
    this.failureChanged(failure);
    if (failure === undefined) this.behind.endsAt(this.staged);
  }

  /** Takes what is pending; the next batch begins. */
  private cut(): Batch {
    const batch = this.pending;
    this.pending = new Batch();
    clearTimeout(this.timer);
    this.timer = undefined;
    return batch;
  }
}

/** Its client may have been there until the end of the broker before. */
function asIfThere(restored: RestoredSession): RestoredSession {
  return { ...restored, session: { ...restored.session, disconnectedAt: undefined } };
}

function closedError(): Error {
  return new Error('the store is closed');
}

/** Why a transaction failed: LMDB says it in a promise of its own, which must not go unheard. */
async function reasonOf(error: unknown): Promise<Error> {
  if (!(error instanceof Error)) return new Error(String(error));
  if (!('commitError' in error) || !(error.commitError instanceof Promise)) return error;
  const heard = error.commitError.catch((reason: unknown) => reason);
  const reason: unknown = await Promise.race([heard, nextTurn()]);
  return reason instanceof Error ? reason : error;
}
