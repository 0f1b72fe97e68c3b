import type { ClientError } from './errors.js';

/** What MQTT.js calls when the broker has answered. */
export type Settle<T> = (error?: Error | null, result?: T) => void;

/** Operations that wait for the broker's answer: the end of the connection answers them all. */
export class Pending {
  readonly #rejects = new Set<(error: ClientError) => void>();
  #whenIdle: (() => void)[] = [];

  get size(): number {
    return this.#rejects.size;
  }

  /** Starts an operation; `failed` turns the error of MQTT.js into one of ours. */
  run<T>(start: (settle: Settle<T>) => void, failed: (error: Error) => ClientError): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const end = (error: ClientError): void => {
        this.#remove(end);
        reject(error);
      };
      this.#rejects.add(end);
      start((error, result) => {
        if (error) return end(failed(error));
        this.#remove(end);
        resolve(result);
      });
    });
  }

  rejectAll(error: ClientError): void {
    for (const reject of [...this.#rejects]) reject(error);
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #remove(reject: (error: ClientError) => void): void {
    this.#rejects.delete(reject);
    if (this.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
