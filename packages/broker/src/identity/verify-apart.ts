import { Worker } from 'node:worker_threads';

/** A password to be held against a hash, as `parseHash` takes it; the answer is whether it has it. */
export interface VerifyTask {
  readonly hash: string;
  readonly password: Uint8Array;
}

/** One thread, which does one task at a time. */
class VerifyThread {
  readonly #worker = new Worker(new URL('./verify-worker.js', import.meta.url));
  #waiter: { resolve(matches: boolean): void; reject(error: Error): void } | undefined;

  constructor(gone: (thread: VerifyThread) => void) {
    const end = (error: Error): void => {
      gone(this);
      this.#take()?.reject(error);
    };
    this.#worker.on('message', (matches: boolean) => this.#take()?.resolve(matches));
    this.#worker.once('error', end);
    this.#worker.once('exit', () => end(new Error('the thread that checks passwords has ended')));
  }

  get isIdle(): boolean {
    return this.#waiter === undefined;
  }

  verify({ hash, password }: VerifyTask): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#worker.ref();
      // A copy: what is sent is the whole memory that a view lies in.
      this.#worker.postMessage({ hash, password: new Uint8Array(password) });
    });
  }

  /** Whoever waits, no more; a thread without work keeps no process alive. */
  #take() {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#worker.unref();
    return waiter;
  }
}

const threads = new Set<VerifyThread>();

/**
 * Whether a password has a hash, worked out in a thread of low priority: those who guess passwords take what nobody else
 * wants of a core. There are as many threads as hashes were ever computed at once, which is bounded by who asks.
 */
export function verifyApart(hash: string, password: Uint8Array): Promise<boolean> {
  let thread = [...threads].find(({ isIdle }) => isIdle);
  if (thread === undefined) {
    thread = new VerifyThread((gone) => threads.delete(gone));
    threads.add(thread);
  }
  return thread.verify({ hash, password });
}
