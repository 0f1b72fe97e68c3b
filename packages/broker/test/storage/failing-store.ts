import { MemoryStore } from '../../dist/storage/memory.js';

/** A store whose disk is full while {@link full} says so: the one double here, since memory cannot be made to fail. */
export class FailingStore extends MemoryStore {
  full = false;

  override commit(): Promise<void> {
    return this.full ? Promise.reject(new Error('no space left on device')) : super.commit();
  }
}
