import { setTimeout as sleep } from 'node:timers/promises';

/** A certificate with its chain, and its private key; PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** How a client renews its certificate by itself, at two thirds of its life. */
export interface RenewalOptions {
  /** Keeps what was issued: called before it is used. What it throws leaves the client with what it had. */
  readonly store: (identity: Identity) => Promise<void>;
  /** Make a new key each time; default false: certify the same one again. */
  readonly newKey?: boolean;
}

/** Milliseconds. */
const shortestPause = 60_000;
const longestPause = 3_600_000;

/** The life of a certificate, in wall-clock milliseconds. */
export interface Life {
  readonly from: number;
  readonly to: number;
}

/** When to renew: from two thirds of the life on, and a little later at random, so that a fleet does not come at once. */
export function dueAt({ from, to }: Life, random: number): number {
  return from + (to - from) * (2 / 3 + random / 20);
}

/** Milliseconds to wait before trying again what failed: often enough, while there is time. */
export function pauseAfterFailure({ to }: Life, now: number): number {
  return Math.min(longestPause, Math.max(shortestPause, (to - now) / 10));
}

/** Calls `renew` whenever it is due, until it is stopped. Keeps no process alive. */
export class AutomaticRenewal {
  readonly #stop = new AbortController();

  constructor(
    private readonly lifeOf: () => Life,
    private readonly renew: () => Promise<void>,
    private readonly random: () => number,
  ) {}

  async run(): Promise<void> {
    const { signal } = this.#stop;
    try {
      let due = dueAt(this.lifeOf(), this.random());
      while (!signal.aborted) {
        // The wall clock may be set meanwhile, and timers are short.
        await sleep(Math.min(longestPause, Math.max(0, due - Date.now())), undefined, { ref: false, signal });
        if (Date.now() < due) continue;
        const before = this.lifeOf();
        await this.renew();
        const life = this.lifeOf();
        // Of one that has run out on arrival nothing is left: the clock here is ahead, and asking on would not end.
        const renewed = life.to !== before.to && life.to > Date.now();
        // Certificates begin before they are issued: of a new one the rest of its life counts.
        due = renewed
          ? dueAt({ from: Date.now(), to: life.to }, this.random())
          : Date.now() + pauseAfterFailure(life, Date.now());
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  stop(): void {
    this.#stop.abort();
  }
}
