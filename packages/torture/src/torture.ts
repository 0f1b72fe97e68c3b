import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, Random } from '@moat/testkit';
import { check, type Fault } from './check/check.js';
import { readHistory } from './check/read-history.js';
import { finale, type Phase } from './client/behaviour.js';
import { WorkerProcess } from './client/worker-process.js';
import { FullDisk } from './full-disk.js';
import { workers } from './plan.js';
import type { BrokerEvent } from './record/event.js';
import { RecordFile } from './record/record-file.js';
import { RunningBroker, writeConfiguration } from './running-broker.js';

export interface TortureOptions {
  /** How often the broker is ended and started anew. */
  readonly cycles: number;
  /** Decides who does what and when the broker is killed, as far as that does not depend on the machine. */
  readonly seed: number;
  /** Takes configuration, data and records; must be empty. */
  readonly directory: string;
  readonly engine: 'lmdb' | 'memory';
  /** Whether the file system of `data` in the directory is filled now and then; it must be small. */
  readonly fillsDisk: boolean;
}

/** How far it has got. */
export interface Progress {
  readonly cycle: number;
  /** Messages. */
  readonly sent: number;
  readonly done: number;
  readonly arrived: number;
  readonly killedClients: number;
}

export interface Outcome extends Progress {
  readonly faults: readonly Fault[];
}

/** Longest life of the broker between being ready and being killed, and of one that is killed while it starts. */
const longestLife = 800;
const longestStart = 700;
/** How long a phase of the finale may go on without a message moving, in milliseconds. */
const patience = 20_000;

/** Tortures a broker and judges what its clients have recorded. */
export async function torture(options: TortureOptions, told: (progress: Progress) => void): Promise<Outcome> {
  const run = await Run.begin(options);
  try {
    for (let cycle = 1; cycle <= options.cycles; cycle++) {
      await run.cycle();
      told(run.progress(cycle));
    }
    await run.finish();
  } finally {
    await run.end();
  }
  return { ...run.progress(options.cycles), faults: [...run.faults, ...check(readHistory(run.records))] };
}

class Run {
  readonly faults: Fault[] = [];
  private broker: RunningBroker | undefined;
  private clients: WorkerProcess[] = [];
  private killedClients = 0;
  private readonly random: Random;
  private full = false;

  private constructor(
    private readonly options: TortureOptions,
    readonly records: string,
    private readonly configuration: string,
    private readonly record: RecordFile<BrokerEvent>,
    private readonly disk: FullDisk | undefined,
    port: number,
  ) {
    this.random = new Random(options.seed);
    this.start();
    this.clients = workers.map((_, number) => new WorkerProcess(records, port, number, this.seed()));
  }

  static async begin(options: TortureOptions): Promise<Run> {
    const disk = options.fillsDisk ? new FullDisk(join(options.directory, 'data')) : undefined;
    const records = join(options.directory, 'records');
    await mkdir(records);
    const port = await freePort();
    const configuration = writeConfiguration(options.directory, port, options.engine);
    const record = RecordFile.open<BrokerEvent>(join(records, 'broker.jsonl'));
    const run = new Run(options, records, configuration, record, disk, port);
    // The first start makes keys and certificates, and takes its time.
    if (!(await run.broker?.ready)) throw new Error(`the broker does not start: ${run.broker?.complaints.join('\n')}`);
    return run;
  }

  progress(cycle: number): Progress {
    const totals = this.clients.map(({ total }) => total);
    const sum = (of: 'sent' | 'done' | 'arrived') => totals.reduce((all, each) => all + each[of], 0);
    return { cycle, sent: sum('sent'), done: sum('done'), arrived: sum('arrived'), killedClients: this.killedClients };
  }

  /** Lets everybody live for a while, ends the broker, now and then some clients, and starts the broker again. */
  async cycle(): Promise<void> {
    const { random, broker } = this;
    const whileStarting = random.chance(10);
    if (whileStarting) await pause(random.below(longestStart));
    else if (await broker?.ready) {
      await pause(random.below(longestLife));
      if (random.chance(50)) this.turnDisk();
      if (this.disk !== undefined) await pause(random.below(longestLife));
    }
    const worker = random.chance(25) ? random.pick(this.clients) : undefined;
    await Promise.all([
      broker?.end(!whileStarting && random.chance(8) ? 'SIGTERM' : 'SIGKILL'),
      worker?.killAndRestart(this.seed()),
    ]);
    if (worker !== undefined) this.killedClients++;
    this.collect();
    this.start();
  }

  /** The disk becomes full, or is freed. */
  private turnDisk(): void {
    if (this.disk === undefined) return;
    this.full = !this.full;
    this.record.write({ e: this.full ? 'filled' : 'freed' });
    if (this.full) this.disk.fill();
    else this.disk.free();
  }

  /** Everybody comes to an end, in order. */
  async finish(): Promise<void> {
    if (this.full) this.turnDisk();
    if (!(await this.broker?.ready)) return this.collect();
    for (const phase of finale) if (!(await this.hold(phase))) break;
    this.collect();
  }

  async end(): Promise<void> {
    await Promise.all(this.clients.map((worker) => worker.end()));
    await this.broker?.end('SIGKILL');
    this.record.close();
  }

  private start(): void {
    const { directory, fillsDisk } = this.options;
    this.broker = new RunningBroker(this.configuration, join(directory, 'broker.log'), this.record, fillsDisk);
  }

  private collect(): void {
    for (const line of this.broker?.complaints ?? []) this.faults.push({ rule: 'broker', text: line });
  }

  /** Goes through a phase of the finale; false when it came to no end. */
  private async hold(phase: Phase): Promise<boolean> {
    for (const worker of this.clients) worker.begin(phase);
    let moved = performance.now();
    let last = '';
    for (;;) {
      await pause(50);
      const busy = this.clients.map((worker) => worker.busyIn(phase));
      if (busy.every((each) => each?.length === 0)) return true;
      const state = JSON.stringify([this.progress(0), busy]);
      if (state !== last) moved = performance.now();
      last = state;
      if (performance.now() - moved < patience) continue;
      this.faults.push({ rule: 'drain', text: `in the phase ${phase} these came to no end: ${busy.flat().join(' ')}` });
      return false;
    }
  }

  private seed(): number {
    return this.random.below(0x1_0000_0000);
  }
}
