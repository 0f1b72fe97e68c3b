/**
 * Lets a bounded number of costly tasks run at once and a bounded number wait, first come, first served.
 * Whoever comes to a full house is turned away at once.
 */
export class WorkGate {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** The task's result, or `busy` when it was not started for want of room. */
  async run<Result>(task: () => Promise<Result>): Promise<Result | 'busy'> {
    if (this.#running < this.#maxRunning) {
      this.#running++;
    } else {
      if (this.#waiting.length >= this.#maxWaiting) return 'busy';
      // Whoever leaves hands its place over, so nobody can slip in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
