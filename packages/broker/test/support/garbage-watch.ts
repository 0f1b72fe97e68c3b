import { AsyncResource, createHook } from 'node:async_hooks';

const companion = Symbol('companion');

/** Knows of objects whether they were collected, with the young too; a finalization registry hears only of what is collected with the old. */
export class GarbageWatch {
  private readonly present = new Set<number>();
  private readonly hook = createHook({ destroy: (id) => void this.present.delete(id) }).enable();
  watched = 0;

  add(object: object): void {
    const resource = new AsyncResource('watched');
    Object.defineProperty(object, companion, { value: resource });
    this.present.add(resource.asyncId());
    this.watched++;
  }

  /** Those that have yet to be. */
  get left(): number {
    return this.present.size;
  }

  end(): void {
    this.hook.disable();
  }
}
