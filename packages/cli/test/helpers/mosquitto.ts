import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { initAuthority } from '@moat/pki';
import { freePort, launchMosquitto, type Mosquitto as Running } from '@moat/testkit';

/** Debian's broker in `directory`, with user alice, password secret, on a plain and on a TLS port. */
export class Mosquitto {
  #running: Running | undefined;

  private constructor(
    readonly directory: string,
    readonly plain: number,
    readonly secure: number,
  ) {}

  static async start(directory: string): Promise<Mosquitto> {
    const broker = new Mosquitto(directory, await freePort(), await freePort());
    await initAuthority(join(directory, 'pki'), { hosts: ['localhost'], days: 2, now: new Date() });
    await promisify(execFile)('mosquitto_passwd', ['-b', '-c', join(directory, 'users'), 'alice', 'secret']);
    await broker.restart();
    return broker;
  }

  private get lines(): string[] {
    return [
      `password_file ${join(this.directory, 'users')}`,
      `listener ${this.plain} 127.0.0.1`,
      ...[`listener ${this.secure} 127.0.0.1`, `cafile ${this.cafile}`],
      ...[`certfile ${join(this.directory, 'pki/server.crt')}`, `keyfile ${join(this.directory, 'pki/server.key')}`],
    ];
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
    this.#running = await launchMosquitto(this.directory, this.lines);
  }

  async stop(): Promise<void> {
    await this.#running?.kill();
  }
}
