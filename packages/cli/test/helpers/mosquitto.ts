import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { initAuthority } from '@moat/pki';

/** A port on which nothing listens at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Debian's broker in `directory`, with user alice, password secret, on a plain and on a TLS port. */
export class Mosquitto {
  #process: ChildProcess | undefined;

  private constructor(
    readonly directory: string,
    readonly plain: number,
    readonly secure: number,
  ) {}

  static async start(directory: string): Promise<Mosquitto> {
    const broker = new Mosquitto(directory, await freePort(), await freePort());
    await initAuthority(join(directory, 'pki'), { hosts: ['localhost'], days: 2, now: new Date() });
    await promisify(execFile)('mosquitto_passwd', ['-b', '-c', join(directory, 'users'), 'alice', 'secret']);
    const lines = [
      ...['user root', 'persistence false', 'log_dest stderr', `password_file ${join(directory, 'users')}`],
      `listener ${broker.plain} 127.0.0.1`,
      ...[`listener ${broker.secure} 127.0.0.1`, `cafile ${broker.cafile}`],
      ...[`certfile ${join(directory, 'pki/server.crt')}`, `keyfile ${join(directory, 'pki/server.key')}`],
    ];
    await writeFile(join(directory, 'mosquitto.conf'), `${lines.join('\n')}\n`);
    await broker.restart();
    return broker;
  }

  get cafile(): string {
    return join(this.directory, 'pki/ca.crt');
  }

  /** The options of `moat` that lead to the plain port as alice. */
  get plainOptions(): string[] {
    return ['--url', `mqtt://127.0.0.1:${this.plain}`, '-u', 'alice', '-P', 'secret'];
  }

  async restart(): Promise<void> {
    await this.stop();
    const file = join(this.directory, 'mosquitto.conf');
    const broker = spawn('mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = broker;
    const log: string[] = [];
    for await (const line of createInterface(broker.stderr)) {
      log.push(line);
      if (!/mosquitto version \S+ running/.test(line)) continue;
      broker.stderr.resume();
      return;
    }
    throw new Error(`mosquitto did not start:\n${log.join('\n')}`);
  }

  async stop(): Promise<void> {
    const broker = this.#process;
    if (!broker || broker.exitCode !== null || broker.signalCode !== null) return;
    broker.kill('SIGKILL');
    await once(broker, 'exit');
  }
}
