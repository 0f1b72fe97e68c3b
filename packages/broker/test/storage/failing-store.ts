import { MemoryStore } from '../../dist/storage/memory.js';
import type { QueueEntry } from '../../dist/storage/store.js';

/** A store whose disk is full while {@link full} says so: the one double here, since memory cannot be made to fail. */
export class FailingStore extends MemoryStore {
  private isFull = false;
  private kept = 0;
  /** Whose queue was changed while it was full. */
  private readonly taken = new Set<string>();
  private reason: Error | undefined = undefined;
  private changed: (failure: Error | undefined) => void = () => {};

  get full(): boolean {
    return this.isFull;
  }

  /** It is noticed with the next commit; that there is room again, at once. */
  set full(full: boolean) {
    this.isFull = full;
    this.kept = this.staged;
    this.taken.clear();
    if (!full && this.reason !== undefined) this.fail(undefined);
  }

  override get durable(): number {
    return this.isFull ? this.kept : this.staged;
  }

  override get failure(): Error | undefined {
    return this.reason;
  }

  override watch(changed: (failure: Error | undefined) => void): void {
    this.changed = changed;
  }

  override commit(): Promise<void> {
    if (!this.isFull) return super.commit();
    const reason = new Error('no space left on device');
    if (this.reason === undefined) this.fail(reason);
    return Promise.reject(reason);
  }

  override dequeue(clientId: string, position: number): void {
    if (this.isFull) this.taken.add(clientId);
    super.dequeue(clientId, position);
  }

  /** As on a disk, where what is staged is written before what it changes is read. */
  override async readQueue(clientId: string, after: number, limit: number): Promise<readonly QueueEntry[]> {
    if (this.isFull && this.taken.has(clientId)) await this.commit();
    return super.readQueue(clientId, after, limit);
  }

  private fail(reason: Error | undefined): void {
    this.reason = reason;
    this.changed(reason);
  }
}
