import { setImmediate as nextTurn } from 'node:timers/promises';
import { Fifo } from '../fifo.js';
import type { Store } from '../storage/store.js';
import { type Delivery, deliveryOf } from './delivery.js';
import type { KeptMessages } from './kept-messages.js';

/** What bounds a session's queue, and which message goes when it is full. */
export interface QueueLimits {
  readonly max_queued_messages: number;
  readonly max_queued_bytes: number;
  readonly queue_full: 'drop_newest' | 'drop_oldest';
}

/** Why a message did not reach its client. */
export type DropReason = 'queue_full' | 'expired' | 'not_authorized' | 'too_large' | 'not_stored';

/** Whose queue it is. */
export interface QueueOwner {
  readonly clientId: string;
  /** Whether the store has the session, so that its queue belongs there too. */
  readonly stored: boolean;
  /** As they are now. */
  readonly limits: QueueLimits;
  dropped(count: number, why: DropReason): void;
}

/** A queue as the store kept it. */
export interface RestoredQueue {
  readonly count: number;
  readonly bytes: number;
  readonly lastPosition: number;
  /** Up to this position it may have been sent before. */
  readonly sentUpTo: number;
  /** Whether the broker ended without ending the client's connection. */
  readonly crashed: boolean;
}

const pageSize = 256;
/** With fewer messages than this waiting in memory nothing is left to the store alone. */
const window = 1_024;

/**
 * What waits to be sent to one client: in memory as long as it is connected and few wait, beyond that in the store.
 *
 * ```
 *   push ─> [ store: backlog ] ─page─> [ waiting ] ─> shift
 *                  (positions rise from right to left)
 * ```
 *
 * Invariants: it is within its limits of count and bytes; what is in `waiting` comes before all of the backlog; a
 * stored session without a connection keeps none of it in memory.
 */
export class OutgoingQueue {
  private readonly waiting = new Fifo<Delivery>();
  /** How many entries behind `readUpTo` are in the store and not in memory, those that rest left out. */
  private backlog: number;
  /** Those that were under way when the connection went: until the next one only the store has them. They do not wait. */
  private restingCount = 0;
  /** Positions up to this one rest, those behind it wait. */
  private restingUpTo = 0;
  private readUpTo = 0;
  private paging = false;
  /** Changes when what is being read belongs to a connection that is gone. */
  private connection = 0;
  private isOver = false;
  private totalBytes: number;

  constructor(
    private readonly owner: QueueOwner,
    private readonly store: Store,
    private readonly kept: KeptMessages,
    restored?: RestoredQueue,
  ) {
    this.backlog = restored?.count ?? 0;
    this.totalBytes = restored?.bytes ?? 0;
  }

  get length(): number {
    return this.waiting.length + this.backlog;
  }

  get bytes(): number {
    return this.totalBytes;
  }

  get resting(): number {
    return this.restingCount;
  }

  /** Whether nothing is to leave before a message that comes now. */
  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.inStore === 0;
  }

  private get inStore(): number {
    return this.backlog + this.restingCount;
  }

  /** The next to leave, if it is in memory. */
  get first(): Delivery | undefined {
    return this.waiting.first;
  }

  shift(): void {
    const delivery = this.waiting.shift();
    if (delivery !== undefined) this.leave(delivery.size);
  }

  /** True when another message of this size fits, after dropping the oldest where that is the rule. */
  makeRoom(size: number): boolean {
    const { max_queued_messages, max_queued_bytes, queue_full } = this.owner.limits;
    while (this.length >= max_queued_messages || this.totalBytes + size > max_queued_bytes) {
      // While the oldest are being read back they cannot be dropped.
      if (queue_full === 'drop_newest' || this.length === 0 || size > max_queued_bytes || this.paging) {
        this.owner.dropped(1, 'queue_full');
        return false;
      }
      this.dropOldest();
    }
    return true;
  }

  /** Adds a message that the store already has where it is to have it; `wanted` in memory while a client is connected. */
  push(delivery: Delivery, wanted: boolean): void {
    this.totalBytes += delivery.size;
    if (!this.owner.stored || (wanted && this.inStore === 0 && this.waiting.length < window)) {
      this.await(delivery);
      return;
    }
    if (this.inStore === 0) this.readUpTo = delivery.position - 1;
    this.backlog++;
  }

  /** The connection is gone: all that is in memory is left to the store alone, with what was under way up to `sentUpTo`. */
  detach(underWay: readonly Delivery[], sentUpTo: number): void {
    this.connection++;
    const waiting = this.waiting.clear();
    for (const { size } of waiting) this.totalBytes -= size;
    for (const delivery of [...underWay, ...waiting]) {
      const { position, size } = delivery;
      this.kept.letGoDelivery(delivery);
      this.readUpTo = Math.min(this.readUpTo, position - 1);
      if (position <= sentUpTo) {
        this.restingCount++;
        this.restingUpTo = Math.max(this.restingUpTo, position);
      } else {
        this.backlog++;
        this.totalBytes += size;
      }
    }
  }

  /**
   * Reads the next entries back from the store, if there are any, and calls `done`. Those that were under way, and those
   * whose PUBREC has come, are handed to `resumed`: they wait no more. A page begins in a turn of its own: others have
   * theirs between the pages of a long queue.
   */
  async page(resumed: (delivery: Delivery) => void, done: () => void): Promise<void> {
    if (this.inStore === 0 || this.paging) return;
    this.paging = true;
    await nextTurn();
    const { connection, backlog, restingCount } = this;
    const { staged } = this.store; // what is read may be among the last of it, and not durable yet
    // The store reports its own trouble; the queue stays where it is and is asked for again at the next drain.
    const entries = await this.store.readQueue(this.owner.clientId, this.readUpTo, pageSize).catch(() => undefined);
    this.paging = false;
    if (entries === undefined || this.isOver) return;
    if (connection === this.connection) {
      if (entries.length === 0) this.forget(backlog, restingCount);
      for (const [index, entry] of entries.entries()) {
        if (index > 0 && !this.kept.hasRoom(0)) break; // the others stay where they are
        this.readUpTo = entry.position;
        this.take(deliveryOf(entry, staged), resumed);
      }
    }
    done();
  }

  /** Its session has ended: nothing is kept any more. */
  end(): void {
    this.isOver = true;
    for (const delivery of this.waiting.all()) this.kept.letGoDelivery(delivery);
  }

  /** What waits in memory. */
  inMemory(): Iterable<Delivery> {
    return this.waiting.all();
  }

  /**
   * Offers the next of those behind a position that only the store has, and takes out what `give` accepts: each page in
   * one turn, so that no crash comes between. Resolves with the last position that was offered; undefined when there is none.
   * Rejects when the store cannot be read or fails.
   */
  async offer(behind: number, give: (delivery: Delivery) => boolean): Promise<number | undefined> {
    if (this.inStore === 0) return undefined;
    if (this.paging) await nextTurn();
    if (this.paging) return behind;
    this.paging = true;
    try {
      const entries = await this.store.readQueue(this.owner.clientId, Math.max(behind, this.readUpTo), pageSize);
      const { failure } = this.store;
      if (failure !== undefined) throw failure; // what is given could not be stored
      for (const entry of entries)
        if (entry.state === 'queued') this.offerOne(deliveryOf(entry, this.store.staged), give);
      return entries.at(-1)?.position;
    } finally {
      this.paging = false;
    }
  }

  private offerOne(delivery: Delivery, give: (delivery: Delivery) => boolean): void {
    if (!give(delivery)) return;
    this.store.dequeue(this.owner.clientId, delivery.position);
    if (this.rests(delivery.position)) this.restingCount--;
    else {
      this.backlog--;
      this.leave(delivery.message.size);
    }
  }

  private rests(position: number): boolean {
    return this.restingCount > 0 && position <= this.restingUpTo;
  }

  /** The store has none of those that it was taken to have. */
  private forget(backlog: number, restingCount: number): void {
    this.backlog -= backlog;
    this.restingCount -= restingCount;
    this.leave(0);
  }

  private take(delivery: Delivery, resumed: (delivery: Delivery) => void): void {
    if (this.rests(delivery.position)) {
      this.restingCount--;
      if (delivery.state === 'queued') delivery.state = 'sent';
      resumed(delivery);
      return;
    }
    this.backlog = Math.max(0, this.backlog - 1);
    if (delivery.state === 'queued') this.await(delivery);
    else {
      this.leave(delivery.size);
      resumed(delivery);
    }
  }

  private dropOldest(): void {
    const { clientId, stored } = this.owner;
    const oldest = this.waiting.shift();
    if (oldest === undefined) {
      // Which one it is and its size only the store knows: until that says so it counts for the average.
      const guess = Math.floor(this.totalBytes / this.backlog);
      this.backlog--;
      this.leave(guess);
      void this.store
        .dequeueFirst(clientId, Math.max(this.readUpTo, this.restingUpTo))
        .then((size) => this.leave(size - guess));
    } else {
      if (stored) this.store.dequeue(clientId, oldest.position);
      this.kept.letGoDelivery(oldest);
      this.leave(oldest.size);
    }
    this.owner.dropped(1, 'queue_full');
  }

  private await(delivery: Delivery): void {
    this.waiting.push(delivery);
    this.kept.keepDelivery(delivery);
  }

  private leave(size: number): void {
    this.totalBytes = this.length === 0 ? 0 : Math.max(0, this.totalBytes - size);
  }
}
