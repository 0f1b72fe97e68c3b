import { MemoryStore } from '../../dist/storage/memory.js';

/** A store whose disk is full while {@link full} says so: the one double here, since memory cannot be made to fail. */
export class FailingStore extends MemoryStore {
  private isFull = false;
  private kept = 0;
  private reason: Error | undefined = undefined;
  private changed: (failure: Error | undefined) => void = () => {};

  get full(): boolean {
    return this.isFull;
  }

  /** It is noticed with the next commit; that there is room again, at once. */
  set full(full: boolean) {
    this.isFull = full;
    this.kept = this.staged;
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

  private fail(reason: Error | undefined): void {
    this.reason = reason;
    this.changed(reason);
  }
}
