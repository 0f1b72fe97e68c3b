import { Worker } from 'node:worker_threads';

/** A password to be held against a hash, as `parseHash` takes it; the answer is whether it has it. */
export interface VerifyTask {
  readonly hash: string;
  readonly password: Uint8Array;
}

/** One thread, which does one task at a time. */
class VerifyThread {
  readonly #worker: Worker;
  #waiter: { resolve(matches: boolean): void; reject(error: Error): void } | undefined;

  constructor(yields: boolean, gone: (thread: VerifyThread) => void) {
    this.#worker = new Worker(new URL('./verify-worker.js', import.meta.url), { workerData: { yields } });
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

/** By whether they yield to everything else. */
const threads = { yielding: new Set<VerifyThread>(), urgent: new Set<VerifyThread>() };

/**
 * Whether a password has a hash, worked out in a thread of low priority: those who guess passwords take what nobody else
 * wants of a core. There are as many threads as hashes were ever computed at once, which is bounded by who asks.
 *
 * @param isUrgent in a thread of the usual priority: on a machine that is always full the others hardly ever run
 */
export function verifyApart(hash: string, password: Uint8Array, isUrgent = false): Promise<boolean> {
  const own = isUrgent ? threads.urgent : threads.yielding;
  let thread = [...own].find(({ isIdle }) => isIdle);
  if (thread === undefined) {
    thread = new VerifyThread(!isUrgent, (gone) => own.delete(gone));
    own.add(thread);
  }
  return thread.verify({ hash, password });
}
