import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BrokerEvent } from './record/event.js';
import type { RecordFile } from './record/record-file.js';

const command = fileURLToPath(new URL('../../../bin/moat', import.meta.url));

/** Events that no client of the torture gives cause for. */
const unexpectedEvents = new Set(['client.protocol_error', 'policy.denied', 'session.theft', 'storage.failing']);
/** And those of them that a full disk gives cause for. */
const fullDiskEvents = new Set(['storage.failing', 'audit.failing']);
const fullDiskReason = /^ENOSPC: /;

/** Writes the configuration of the broker: everything on disk, no bound and no question in the way. */
export function writeConfiguration(directory: string, port: number, engine: 'lmdb' | 'memory'): string {
  const file = join(directory, 'moat.yaml');
  const configuration = {
    data_dir: join(directory, 'data'),
    listeners: [{ protocol: 'mqtt', port }],
    authentication: { allow_anonymous: true },
    authorization: { default: 'allow' },
    limits: { profile: 'off' },
    storage: { engine },
    log: { format: 'json' },
  };
  writeFileSync(file, `${JSON.stringify(configuration, undefined, 2)}\n`); // every JSON text is a YAML text
  return file;
}

interface LogLine {
  readonly msg: string;
  readonly level: string;
  readonly event?: string;
  readonly reason?: string;
}

/** One life of the broker: `moat start` as people run it. */
export class RunningBroker {
  /** Resolves when it is ready, or has ended before. */
  readonly ready: Promise<boolean>;
  /** What it wrote that it should not have. */
  readonly complaints: string[] = [];
  private readonly process: ChildProcess;
  private readonly exited: Promise<unknown>;
  private ending = false;

  constructor(
    configuration: string,
    log: string,
    private readonly record: RecordFile<BrokerEvent>,
    fillsDisk: boolean,
  ) {
    this.process = spawn(process.execPath, [command, 'start', '-c', configuration], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.process;
    this.exited = once(this.process, 'exit');
    const kill = (): void => void this.process.kill('SIGKILL');
    process.once('exit', kill);
    this.exited.then(() => process.off('exit', kill));
    this.ready = new Promise((resolve) => {
      if (stdout !== null)
        createInterface(stdout).on('line', (line) => {
          const { msg, level, event = '', reason = '' } = JSON.parse(line) as LogLine;
          if (msg === 'ready') {
            this.record.write({ e: 'ready' });
            resolve(true);
          }
          if (fillsDisk && (fullDiskEvents.has(event) || fullDiskReason.test(reason))) return;
          if (level !== 'info' || unexpectedEvents.has(event)) this.complain(log, line);
        });
      if (stderr !== null)
        createInterface(stderr).on('line', (line) => {
          // LMDB tells there itself what it could not write.
          if (!fillsDisk) this.complain(log, line);
        });
      this.exited.then(() => {
        if (!this.ending) this.complain(log, `it ended by itself: ${this.process.exitCode ?? this.process.signalCode}`);
        resolve(false);
      });
    });
  }

  /** Ends it, and resolves when it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.ending = true;
      this.record.write({ e: signal === 'SIGKILL' ? 'killed' : 'stopped' });
      this.process.kill(signal);
    }
    await this.exited;
  }

  private complain(log: string, line: string): void {
    this.complaints.push(line);
    appendFileSync(log, `${line}\n`);
  }
}
