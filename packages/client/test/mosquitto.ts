import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A port on which nothing listens at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Debian's broker as a peer: the lines of its configuration decide what it does. */
export class Mosquitto {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Starts it in a directory of the test's own; resolves when its listeners are open. */
  static async start(directory: string, lines: readonly string[]): Promise<Mosquitto> {
    const file = join(directory, 'mosquitto.conf');
    const common = ['user root', 'persistence false', 'log_dest stderr', 'per_listener_settings true'];
    await writeFile(file, [...common, ...lines, ''].join('\n'));
    const broker = spawn('mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    const log: string[] = [];
    for await (const line of createInterface(broker.stderr)) {
      log.push(line);
      if (/mosquitto version \S+ running/.test(line)) {
        broker.stderr.resume();
        return new Mosquitto(broker);
      }
    }
    throw new Error(`mosquitto did not start:\n${log.join('\n')}`);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}
