/** How many tasks may run and wait; read anew each time, so that a reload changes them. */
export interface WorkLimits {
  readonly running: number;
  readonly waiting: number;
}

/** What became of somebody who waited: has a place, lost it to others, or has gone. */
type Turn = 'admitted' | 'busy' | 'left';

/** Tells when whoever a task is for has gone. */
type WhenLeft = (left: () => void) => void;

/**
 * Lets a bounded number of costly tasks run at once and a bounded number wait. Those who wait are served in turn by the
 * key that they come under, such as their address, and in order under each: who asks a lot waits behind itself. In a full
 * house the newcomer of a short queue takes the place of the last in the longest. Who leaves gives its place up.
 */
export class WorkGate {
  readonly #limits: () => WorkLimits;
  /** By key, the next to be served first. Called with what became of each. */
  readonly #queues = new Map<string, ((turn: Turn) => void)[]>();
  #waiting = 0;
  #running = 0;

  constructor(limits: () => WorkLimits) {
    this.#limits = limits;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** The task's result; `busy` when it was not started for want of room, `left` when nobody waits for it any more. */
  async run<Result>(
    key: string,
    task: () => Promise<Result>,
    whenLeft?: WhenLeft,
  ): Promise<Result | Exclude<Turn, 'admitted'>> {
    if (this.#running < this.#limits().running) this.#running++;
    else {
      const turn = await this.#turn(key, whenLeft);
      if (turn !== 'admitted') return turn;
    }
    try {
      return await task();
    } finally {
      // Whoever leaves hands its place over, so nobody can slip in between.
      if (this.#running > this.#limits().running || !this.#admitNext()) this.#running--;
    }
  }

  /** Whether a place was got; whoever is told so has it. */
  #turn(key: string, whenLeft: WhenLeft | undefined): Promise<Turn> {
    const queue = this.#queues.get(key) ?? [];
    const full = this.#waiting >= this.#limits().waiting;
    if (full && !this.#makeRoom(queue.length)) return Promise.resolve('busy');
    return new Promise((resolve) => {
      queue.push(resolve);
      this.#queues.set(key, queue);
      this.#waiting++;
      whenLeft?.(() => this.#leave(key, resolve));
    });
  }

  #leave(key: string, one: (turn: Turn) => void): void {
    const queue = this.#queues.get(key) ?? [];
    const at = queue.indexOf(one);
    if (at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(key);
    this.#waiting--;
    one('left');
  }

  #makeRoom(own: number): boolean {
    let longest: ((turn: Turn) => void)[] = [];
    let whose = '';
    for (const [key, queue] of this.#queues) if (queue.length > longest.length) [whose, longest] = [key, queue];
    // After the exchange the newcomer's queue must not be the longer one: or two would take each other's place for ever.
    if (longest.length <= own + 1) return false;
    this.#waiting--;
    longest.pop()?.('busy');
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
    next?.('admitted');
    return true;
  }
}
