import type { Latencies } from './latencies.js';

/** Counts what one subscriber has received, by publisher. */
export class Subscriber {
  readonly #received: Float64Array;
  readonly #latencies: Latencies;

  constructor(publishers: number, latencies: Latencies) {
    this.#received = new Float64Array(publishers);
    this.#latencies = latencies;
  }

  receivedFrom(publisher: number): number {
    return this.#received[publisher] ?? 0;
  }

  /** Every message received. */
  get received(): number {
    return this.#received.reduce((sum, count) => sum + count, 0);
  }

  onDelivered(publisher: number, sentAt: number): void {
    const count = this.#received[publisher];
    if (count === undefined) return; // not from this load: a retained message of somebody else
    this.#received[publisher] = count + 1;
    this.#latencies.add(sentAt);
  }
}
