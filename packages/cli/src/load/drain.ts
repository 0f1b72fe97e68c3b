import { LoadClient } from './client.js';
import { ReadMemory } from './packet-scanner.js';
import type { Target } from './target.js';

/** Subscribers whose sessions were left behind by traffic with `sessions: 'away'` come back for what is queued. */
export interface DrainPlan {
  readonly kind: 'drain';
  readonly target: Target;
  readonly subscribers: number;
  /** At least that of the messages. */
  readonly payloadBytes: number;
  /** As that of the traffic. Default: `bench-`. */
  readonly clientIdPrefix?: string;
}

export interface DrainResult {
  readonly delivered: number;
  /** From the first CONNECT to the last message. */
  readonly elapsedMs: number;
}

/** What is missing when nothing has arrived for this long is lost. */
const stallMs = 3000;
/** After the last message that is due: a message that comes twice comes now. */
const extraMs = 200;

export class Drain {
  readonly #plan: DrainPlan;
  readonly #clients: LoadClient[] = [];

  constructor(plan: DrainPlan) {
    this.#plan = plan;
  }

  /** Connects all and takes `expected` messages, or what comes of them. */
  async run(expected: number): Promise<DrainResult> {
    const { target, subscribers, payloadBytes, clientIdPrefix = 'bench-' } = this.#plan;
    const memory = new ReadMemory(payloadBytes + 1024);
    const startedAt = performance.now();
    let movedAt = startedAt;
    let delivered = 0;
    const events = {
      delivered: () => delivered++,
      readDone: () => {
        movedAt = performance.now();
      },
    };
    const connect = async (_: unknown, index: number): Promise<LoadClient> =>
      LoadClient.connect(target, memory, `${clientIdPrefix}s${index}`, events, false);
    this.#clients.push(...(await Promise.all(Array.from({ length: subscribers }, connect))));
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (performance.now() - movedAt < (delivered < expected ? stallMs : extraMs)) return;
        clearInterval(timer);
        resolve();
      }, 10);
    });
    return { delivered, elapsedMs: movedAt - startedAt };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}
