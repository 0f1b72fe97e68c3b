import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Phase } from './behaviour.js';
import type { Report, Request } from './worker.js';

const file = fileURLToPath(new URL('worker.js', import.meta.url));

/** A process full of clients, that may be killed and started anew. */
export class WorkerProcess {
  /** What it has told last. */
  report: Report = { sent: 0, done: 0, arrived: 0, phase: undefined, busy: [] };
  /** What those before it, that were killed, had counted. */
  private before = { sent: 0, done: 0, arrived: 0 };
  private child: ChildProcess;

  constructor(
    private readonly directory: string,
    private readonly port: number,
    private readonly number: number,
    seed: number,
  ) {
    this.child = this.fork(seed);
  }

  get total(): { sent: number; done: number; arrived: number } {
    const { before, report } = this;
    return {
      sent: before.sent + report.sent,
      done: before.done + report.done,
      arrived: before.arrived + report.arrived,
    };
  }

  async killAndRestart(seed: number): Promise<void> {
    await this.end();
    this.before = this.total;
    this.child = this.fork(seed);
  }

  begin(phase: Phase): void {
    this.child.send({ phase } satisfies Request);
  }

  /** Who has still to do something in this phase; undefined before the worker has heard of it. */
  busyIn(phase: Phase): readonly string[] | undefined {
    return this.report.phase === phase ? this.report.busy : undefined;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  private fork(seed: number): ChildProcess {
    this.report = { sent: 0, done: 0, arrived: 0, phase: undefined, busy: [] };
    const child = fork(file, [this.directory, String(this.port), String(seed), String(this.number)]);
    child.on('message', (report: Report) => {
      this.report = report;
    });
    return child;
  }
}
