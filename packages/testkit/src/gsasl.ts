import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** GNU SASL: another implementation of SCRAM, as client or as server, which speaks in lines of base64. */
export class Gsasl {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(args: readonly string[]) {
    this.#child = spawn('gsasl', ['--quiet', '--no-cb', ...args]);
    // Whoever is not content may have ended before we are.
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  static client(mechanism: string, username: string, password: string): Gsasl {
    return new Gsasl([
      '--client',
      `--mechanism=${mechanism}`,
      `--authentication-id=${username}`,
      `--password=${password}`,
    ]);
  }

  static server(mechanism: string, password: string, iterations: number): Gsasl {
    return new Gsasl([
      '--server',
      `--mechanism=${mechanism}`,
      `--password=${password}`,
      `--iteration-count=${iterations}`,
    ]);
  }

  /** What it says next; undefined when it has ended. */
  async says(): Promise<Buffer | undefined> {
    for (;;) {
      const { done, value } = await this.#lines.next();
      if (done) return undefined;
      if (/^[A-Za-z0-9+/]+={0,2}$/.test(value) && value.length > 8 && !value.startsWith('SCRAM'))
        return Buffer.from(value, 'base64');
    }
  }

  hears(data: Uint8Array): void {
    this.#child.stdin.write(`${Buffer.from(data).toString('base64')}\n`);
  }

  /** Whether it ends content with the other side. */
  async isContent(): Promise<boolean> {
    this.#child.stdin.end('\n');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode === 0;
  }
}
