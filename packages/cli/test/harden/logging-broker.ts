import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '@moat/testkit';
import { command } from '../helpers/moat.js';
import { patience } from '../helpers/patience.js';

/** A broker whose log is appended to a file, as the unit has it. */
export class LoggingBroker {
  private constructor(
    readonly file: string,
    private readonly kill: (signal: NodeJS.Signals) => Promise<unknown>,
  ) {}

  /** @param enter what the command line is put behind, such as one that enters a namespace */
  static async start(
    directory: string,
    yaml: string,
    enter: (...words: readonly string[]) => [string, string[]] = (program = '', ...args) => [program, args],
  ): Promise<LoggingBroker> {
    await writeFile(join(directory, 'moat.yaml'), `data_dir: ./moat-data\n${yaml}`);
    const file = join(directory, 'moat.log');
    const log = await open(file, 'a');
    const child = spawn(...enter(command, 'start'), { cwd: directory, stdio: ['ignore', log.fd, 'inherit'] });
    const gone = once(child, 'exit');
    await log.close();
    const broker = new LoggingBroker(file, (signal) => (child.kill(signal) ? gone : Promise.resolve()));
    await broker.logged('ready');
    return broker;
  }

  async logged(message: string): Promise<void> {
    await waitFor(async () => (await readFile(this.file, 'utf8')).includes(`"msg":"${message}"`), {
      timeout: patience,
    });
  }

  signal(signal: NodeJS.Signals): void {
    void this.kill(signal);
  }

  stop(): Promise<unknown> {
    return this.kill('SIGKILL');
  }
}
