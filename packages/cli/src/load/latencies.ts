/** Percentiles in milliseconds, of `samples` messages. */
export interface Latency {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** How long messages were on their way: every `every`-th is kept, and percentiles are exact among those. */
export class Latencies {
  readonly #every: number;
  #seen = 0;
  #samples: number[] = [];

  constructor(every: number) {
    this.#every = every;
  }

  /** `sentAt` in milliseconds, by the clock of `performance.now()`. */
  add(sentAt: number): void {
    if (this.#seen++ % this.#every === 0) this.#samples.push(performance.now() - sentAt);
  }

  /** The percentiles of what was added since the last call. */
  take(): Latency {
    const sorted = Float64Array.from(this.#samples).sort();
    this.#samples = [];
    this.#seen = 0; // the first of each run counts, however few there are
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return { samples: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
