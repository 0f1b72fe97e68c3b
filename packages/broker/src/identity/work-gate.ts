/** How many tasks may run and wait; read anew each time, so that a reload changes them. */
export interface WorkLimits {
  readonly running: number;
  readonly waiting: number;
}

/**
 * Lets a bounded number of costly tasks run at once and a bounded number wait. Those who wait are served in turn by the
 * key that they come under, such as their address, and in order under each: who asks a lot waits behind itself. In a full
 * house the newcomer of a short queue takes the place of the last in the longest.
 */
export class WorkGate {
  readonly #limits: () => WorkLimits;
  /** By key, the next to be served first. Called with false for whoever has lost its place. */
  readonly #queues = new Map<string, ((admitted: boolean) => void)[]>();
  #waiting = 0;
  #running = 0;

  constructor(limits: () => WorkLimits) {
    this.#limits = limits;
  }

  /** The task's result, or `busy` when it was not started for want of room. */
  async run<Result>(key: string, task: () => Promise<Result>): Promise<Result | 'busy'> {
    if (this.#running < this.#limits().running) this.#running++;
    else if (!(await this.#turn(key))) return 'busy';
    try {
      return await task();
    } finally {
      // Whoever leaves hands its place over, so nobody can slip in between.
      if (this.#running > this.#limits().running || !this.#admitNext()) this.#running--;
    }
  }

  /** Whether a place was got; whoever is told so has it. */
  #turn(key: string): Promise<boolean> {
    const queue = this.#queues.get(key) ?? [];
    const full = this.#waiting >= this.#limits().waiting;
    if (full && !this.#makeRoom(queue.length)) return Promise.resolve(false);
    return new Promise((resolve) => {
      queue.push(resolve);
      this.#queues.set(key, queue);
      this.#waiting++;
    });
  }

  #makeRoom(own: number): boolean {
    let longest: ((admitted: boolean) => void)[] = [];
    let whose = '';
    for (const [key, queue] of this.#queues) if (queue.length > longest.length) [whose, longest] = [key, queue];
    // After the exchange the newcomer's queue must not be the longer one: or two would take each other's place for ever.
    if (longest.length <= own + 1) return false;
    this.#waiting--;
    longest.pop()?.(false);
    if (longest.length === 0) this.#queues.delete(whose);
    return true;
  }

  #admitNext(): boolean {
    const [first] = this.#queues;
    if (first === undefined) return false;
    const [key, queue] = first;
    const next = queue.shift();
    this.#queues.delete(key);
    if (queue.length > 0) this.#queues.set(key, queue);
    this.#waiting--;
    next?.(true);
    return true;
  }
}
