import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Plan, Results } from './plan.js';
import type { Reply, Request } from './worker.js';

const workerFile = fileURLToPath(new URL('worker.js', import.meta.url));

/**
 * A load in a process of its own, so that it shares neither event loop nor heap with whoever measures.
 *
 * @example
 * const load = await LoadProcess.open({ kind: 'traffic', target, publishers: 1, subscribers: 1, qos: 0,
 *   payloadBytes: 64, window: 2000 });
 * const { delivered, elapsedMs } = await load.run(3000);
 * await load.close();
 */
export class LoadProcess<K extends Plan['kind']> {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process and connects its clients; rejects when the broker cannot be reached or refuses them. */
  static async open<P extends Plan>(plan: P): Promise<LoadProcess<P['kind']>> {
    const load = new LoadProcess<P['kind']>(fork(workerFile));
    try {
      await load.#ask({ do: 'open', plan });
    } catch (error) {
      load.kill();
      throw error;
    }
    return load;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** `amount` is milliseconds for traffic, messages for a drain, connections for the others. */
  async run(amount: number): Promise<Results[K]> {
    return (await this.#ask({ do: 'run', amount })) as Results[K];
  }

  /** Closes every connection in order, and ends the process. */
  async close(): Promise<void> {
    try {
      await this.#ask({ do: 'close' });
    } finally {
      this.kill();
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the load process has ended'));
      this.#child.once('exit', onExit);
      this.#child.once('message', (reply: Reply) => {
        this.#child.off('exit', onExit);
        if ('error' in reply) reject(new Error(reply.error));
        else resolve(reply.result);
      });
      this.#child.send(request, (error) => {
        if (error) reject(error);
      });
    });
  }
}
