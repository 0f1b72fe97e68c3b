import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { withDeadline } from './deadline.js';
import { findProgram } from './programs.js';
import { temporaryDirectory } from './temporary-directory.js';
import { freePort } from './wait.js';

/** A running Mosquitto of this test's own. */
export interface Mosquitto {
  readonly port: number;
  /** Holds its configuration; gone with the test. */
  readonly directory: string;
  readonly process: ChildProcess;
  /** Ends it at once, as a crash would; the end of the test does so too. */
  kill(): Promise<void>;
}

/**
 * Starts Debian's Mosquitto on 127.0.0.1, open to anyone, and resolves when it listens.
 *
 * @param lines more lines of `mosquitto.conf`; those after the first `listener` speak of that one
 */
export async function startMosquitto(
  t: TestContext,
  { lines = [] }: { lines?: readonly string[] } = {},
): Promise<Mosquitto> {
  const directory = await temporaryDirectory(t);
  const port = await freePort();
  const file = join(directory, 'mosquitto.conf');
  const common = ['user root', 'persistence false', 'log_dest stderr', 'allow_anonymous true'];
  await writeFile(file, [...common, `listener ${port} 127.0.0.1`, ...lines, ''].join('\n'));
  const broker = spawn(findProgram('mosquitto') ?? 'mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const log: string[] = [];
  async function kill(): Promise<void> {
    if (broker.pid === undefined || broker.exitCode !== null || broker.signalCode !== null) return;
    broker.kill('SIGKILL');
    await once(broker, 'exit');
  }
  t.after(kill);
  const started = new Promise<void>((resolve, reject) => {
    broker.once('error', reject);
    createInterface(broker.stderr)
      .on('line', (line) => {
        log.push(line);
        if (/mosquitto version \S+ running/.test(line)) resolve();
      })
      .once('close', () => reject(new Error(`mosquitto ended:\n${log.join('\n')}`)));
  });
  await withDeadline(started, () => `mosquitto did not start:\n${log.join('\n')}`);
  return { port, directory, process: broker, kill };
}
