import { openLmdbStore, type Store } from '@moat/broker/store';

/** What happens at the step that was chosen: it fails once; nothing happens any more, as if the process had been killed; or it is. */
export type How = 'fails' | 'stops' | 'dies';

/** The part of LMDB that a store writes through. */
interface Tree {
  childTransaction(action: () => unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** What changes the tree within a transaction. */
const writes = new Set<PropertyKey>(['putSync', 'removeSync']);
const never = new Promise<never>(() => {});

/**
 * An LMDB store in which every step of a commit is counted: the beginning of its transaction, each write in it, the end
 * before the flush, and the moment behind it at which nobody has heard of it yet.
 */
export class SteppingStore {
  steps = 0;
  /** Whether the step came at which something was to happen. */
  hit = false;
  private at = Number.POSITIVE_INFINITY;
  private stopped = false;

  private constructor(
    readonly store: Store,
    private readonly tree: Tree,
    private readonly how: How,
  ) {}

  static async open(directory: string, how: How): Promise<SteppingStore> {
    const store = await openLmdbStore(directory);
    const tree = Reflect.get(store, 'tree') as Tree;
    const stepping = new SteppingStore(store, tree, how);
    Reflect.set(store, 'tree', stepping.watched());
    return stepping;
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  /** From now on steps are counted, and something happens at this one. */
  arm(at: number): void {
    this.steps = 0;
    this.at = at;
  }

  /** Lets go of the files, as the end of a process does. */
  async abandon(): Promise<void> {
    await this.tree.close();
    (Reflect.get(this.store, 'onClose') as () => void)();
  }

  private step(): void {
    if (!this.stopped && ++this.steps !== this.at) return;
    this.hit = true;
    this.at = Number.POSITIVE_INFINITY;
    if (this.how === 'dies') process.kill(process.pid, 'SIGKILL');
    this.stopped = this.how === 'stops';
    throw new Error('injected');
  }

  private watched(): Tree {
    return new Proxy(this.tree, {
      get: (tree, name) => {
        if (name === 'childTransaction') return (action: () => unknown) => this.transact(action);
        const value: unknown = Reflect.get(tree, name, tree);
        if (typeof value !== 'function') return value;
        if (!writes.has(name)) return value.bind(tree);
        return (...args: unknown[]): unknown => {
          this.step();
          return value.apply(tree, args);
        };
      },
    });
  }

  private async transact(action: () => unknown): Promise<unknown> {
    try {
      this.step();
      const result = await this.tree.childTransaction(() => {
        action();
        this.step();
      });
      // What fails here has been written all the same; only a process that stops knows nothing of it.
      if (this.how !== 'fails') this.step();
      return result;
    } catch (error) {
      if (this.stopped) return never;
      throw error;
    }
  }
}
