import type { MessageRecord, QueueEntry } from '../store.js';
import type { Body, Transaction } from './transaction.js';

/** Something staged. */
export interface Operation {
  apply(transaction: Transaction): void;
  /** What cannot be kept for the next attempt is told that this one failed. */
  fail?(error: Error): void;
}

/** An entry that is staged, and may be taken back before it was written. */
class Enqueue implements Operation {
  private cancelled = false;

  constructor(
    private readonly clientId: string,
    private readonly entry: QueueEntry,
    private readonly body: Body,
  ) {}

  cancel(): void {
    this.cancelled = true;
    this.body.holders--;
  }

  apply(transaction: Transaction): void {
    if (this.cancelled) transaction.skip(this.clientId, this.entry.position);
    else transaction.enqueue(this.clientId, this.entry, this.body);
  }
}

class Dequeue implements Operation {
  constructor(
    private readonly clientId: string,
    private readonly position: number,
  ) {}

  apply(transaction: Transaction): void {
    transaction.dequeue(this.clientId, this.position);
  }
}

/** Bytes of an operation without the payload that it may have. */
const operationSize = 256;

/**
 * What is staged and becomes durable together. A message that is acknowledged by its receiver before it was written
 * is never written.
 */
export class Batch {
  /** Whether somebody waits for it. */
  wanted = false;
  readonly done: Promise<void>;
  private resolve: () => void = () => {};
  private reject: (error: Error) => void = () => {};
  private operations: Operation[] = [];
  private payloads = 0;
  private readonly bodies = new Map<MessageRecord, Body>();
  /** Entries that nothing staged behind them depends on, by client and position. */
  private readonly fresh = new Map<string, Map<number, Enqueue>>();
  /** Up to which position it changes a client's queue. */
  private readonly reaches = new Map<string, number>();

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever waits hears of a failure; that nobody waits is no reason to end the process.
    this.done.catch(() => {});
  }

  /** About what it takes in memory. */
  get bytes(): number {
    return this.payloads + this.operations.length * operationSize;
  }

  get isEmpty(): boolean {
    return this.operations.length === 0;
  }

  /** Whether a client's queue, behind a position, is as it was before all of this. */
  leavesQueue(clientId: string, after: number): boolean {
    return (this.reaches.get(clientId) ?? 0) <= after;
  }

  /** Tells that what is staged changes a client's queue up to a position. */
  reach(clientId: string, position: number): void {
    if (this.leavesQueue(clientId, position - 1)) this.reaches.set(clientId, position);
  }

  /** `payload` is the bytes of the message that it holds. */
  stage(operation: Operation, payload = 0): void {
    this.payloads += payload;
    this.operations.push(operation);
  }

  /** Stages what looks at a queue as it is: from here on no entry before it is taken back. */
  stageBehind(operation: Operation): void {
    this.fresh.clear();
    this.stage(operation);
  }

  enqueue(clientId: string, entry: QueueEntry): void {
    this.reach(clientId, entry.position);
    let body = this.bodies.get(entry.message);
    if (body === undefined) {
      body = { holders: 0 };
      this.bodies.set(entry.message, body);
      this.payloads += entry.message.payload.length;
    }
    body.holders++;
    const operation = new Enqueue(clientId, entry, body);
    let fresh = this.fresh.get(clientId);
    if (fresh === undefined) {
      fresh = new Map();
      this.fresh.set(clientId, fresh);
    }
    fresh.set(entry.position, operation);
    this.stage(operation);
  }

  dequeue(clientId: string, position: number): void {
    this.reach(clientId, position);
    const fresh = this.fresh.get(clientId);
    const operation = fresh?.get(position);
    if (operation === undefined) {
      this.stage(new Dequeue(clientId, position));
      return;
    }
    operation.cancel();
    fresh?.delete(position);
  }

  apply(transaction: Transaction): void {
    for (const operation of this.operations) operation.apply(transaction);
    transaction.finish();
  }

  /** Applies once more what it wrote, to a copy of the store. */
  replay(transaction: Transaction): void {
    for (const operation of this.operations) if (operation.fail === undefined) operation.apply(transaction);
    transaction.finish();
  }

  succeed(): void {
    this.resolve();
  }

  /** Tells those who wait, and hands what was staged on to the batch that is tried next. */
  fail(error: Error, next: Batch): void {
    const kept = this.operations.filter((operation) => operation.fail === undefined);
    for (const operation of this.operations) operation.fail?.(error);
    this.operations = [];
    next.operations = kept.concat(next.operations);
    next.payloads += this.payloads;
    for (const [clientId, position] of this.reaches) next.reach(clientId, position);
    this.reject(error);
  }
}
