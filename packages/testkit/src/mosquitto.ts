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

/** A running Mosquitto. */
export interface Mosquitto {
  readonly process: ChildProcess;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/**
 * Starts Debian's Mosquitto on a port of 127.0.0.1, open to anyone, and resolves when it listens. It ends with the test.
 *
 * @param lines more lines of `mosquitto.conf`, behind those of the listener
 */
export async function startMosquitto(
  t: TestContext,
  { lines = [] }: { lines?: readonly string[] } = {},
): Promise<Mosquitto & { readonly port: number }> {
  const port = await freePort();
  const listener = [`listener ${port} 127.0.0.1`, 'allow_anonymous true'];
  const mosquitto = await launchMosquitto(await temporaryDirectory(t), [...listener, ...lines]);
  t.after(mosquitto.kill);
  return { ...mosquitto, port };
}

/**
 * Starts Debian's Mosquitto for a group of tests, and resolves when it listens. The caller ends it.
 *
 * @param directory takes its configuration
 * @param lines of `mosquitto.conf`, listeners included
 */
export async function launchMosquitto(directory: string, lines: readonly string[]): Promise<Mosquitto> {
  const file = join(directory, 'mosquitto.conf');
  // Its queues are short by default, and drop what a test waits for.
  const common = ['user root', 'persistence false', 'log_dest stderr', 'max_queued_messages 0'];
  await writeFile(file, [...common, ...lines, ''].join('\n'));
  const broker = spawn(findProgram('mosquitto') ?? 'mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  async function kill(): Promise<void> {
    if (broker.pid === undefined || broker.exitCode !== null || broker.signalCode !== null) return;
    broker.kill('SIGKILL');
    await once(broker, 'exit');
  }
  const log: string[] = [];
  const started = new Promise<void>((resolve, reject) => {
    broker.once('error', reject);
    createInterface(broker.stderr)
      .on('line', (line) => {
        log.push(line);
        if (/mosquitto version \S+ running/.test(line)) resolve();
      })
      .once('close', () => reject(new Error(`mosquitto ended:\n${log.join('\n')}`)));
  });
  try {
    await withDeadline(started, () => `mosquitto did not start:\n${log.join('\n')}`);
  } catch (error) {
    await kill();
    throw error;
  }
  return { process: broker, kill };
}
