import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Measured } from './measured.js';
import type { Plan, Reply, Request } from './worker.js';

const workerFile = fileURLToPath(new URL('worker.js', import.meta.url));

/** Legitimate clients, in a process of their own so that what attacks does not slow them down itself. */
export class Workload {
  private constructor(private readonly child: ChildProcess) {}

  /** Rejects when the broker does not serve them. */
  static async open(plan: Plan): Promise<Workload> {
    const workload = new Workload(fork(workerFile));
    try {
      await workload.ask({ do: 'open', plan });
    } catch (error) {
      workload.close();
      throw error;
    }
    return workload;
  }

  /** What they meet while `work` goes on. */
  async during(work: () => Promise<unknown>): Promise<Measured> {
    await this.ask({ do: 'begin' });
    await work();
    const { measured } = await this.ask({ do: 'end' });
    if (measured === undefined) throw new Error('the workload measured nothing');
    return measured;
  }

  close(): void {
    this.child.kill('SIGKILL');
  }

  private async ask(request: Request): Promise<{ readonly measured?: Measured }> {
    const ended = once(this.child, 'exit').then((): Reply => ({ error: 'the process of the workload has ended' }));
    const answered = once(this.child, 'message').then(([reply]) => reply as Reply);
    this.child.send(request);
    const reply = await Promise.race([answered, ended]);
    if ('error' in reply) throw new Error(reply.error);
    return reply;
  }
}
