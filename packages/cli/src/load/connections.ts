import { LoadClient } from './client.js';
import { ReadMemory } from './packet-scanner.js';
import type { Target } from './target.js';

/** Connections that are opened and kept without a word. */
export interface IdlePlan {
  readonly kind: 'idle';
  readonly target: Target;
}

/** Connections that are opened (CONNECT, CONNACK) and closed (DISCONNECT, both sides) again. */
export interface ConnectPlan {
  readonly kind: 'connect';
  readonly target: Target;
  /** How many at once. */
  readonly concurrency: number;
  readonly clientIdPrefix?: string;
}

export interface ConnectionsResult {
  readonly connections: number;
  readonly elapsedMs: number;
}

const memory = new ReadMemory(1024, 4096);
const idleConcurrency = 64;

export class Idle {
  readonly #plan: IdlePlan;
  readonly #clients: LoadClient[] = [];
  #lost = 0;

  constructor(plan: IdlePlan) {
    this.#plan = plan;
  }

  /** Opens `count` more connections; rejects when one of those opened before is gone. */
  async run(count: number): Promise<ConnectionsResult> {
    const result = await concurrently(count, idleConcurrency, async () => {
      const clientId = `idle-${this.#clients.length}-${Math.random().toString(36).slice(2, 8)}`;
      this.#clients.push(await LoadClient.connect(this.#plan.target, memory, clientId, { failed: () => this.#lost++ }));
    });
    if (this.#lost > 0) throw new Error(`the broker closed ${this.#lost} idle connections`);
    return result;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

export class Connect {
  readonly #plan: ConnectPlan;
  #count = 0;

  constructor(plan: ConnectPlan) {
    this.#plan = plan;
  }

  /** Goes `count` times through the whole life of a connection. */
  run(count: number): Promise<ConnectionsResult> {
    const { target, concurrency, clientIdPrefix = 'connect-' } = this.#plan;
    return concurrently(count, concurrency, async () => {
      const client = await LoadClient.connect(target, memory, `${clientIdPrefix}${this.#count++}`);
      await client.close();
    });
  }

  async close(): Promise<void> {}
}

async function concurrently(count: number, limit: number, task: () => Promise<void>): Promise<ConnectionsResult> {
  const startedAt = performance.now();
  let left = count;
  const line = async (): Promise<void> => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, line));
  return { connections: count, elapsedMs: performance.now() - startedAt };
}
