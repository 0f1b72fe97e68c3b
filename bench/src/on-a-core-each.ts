import { spawnSync } from 'node:child_process';
import { LoadProcess, type TrafficPlan } from '@moat/cli/load';
import { cpuMicros } from '@moat/testkit';
import type { Broker, Ports } from './peer/peer.js';

/** Connections at once, where they come and go. */
const concurrency = 32;

/** What is sent and heard, whoever the broker is. */
export type Traffic = Omit<TrafficPlan, 'kind' | 'target'>;

/** CPU-microseconds of the broker for each delivered message, and latencies in milliseconds. */
export interface Cost {
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
}

/** A broker and its load, on a core each: neither makes the other wait. */
export class OnACoreEach {
  private constructor(
    private readonly broker: Broker,
    private readonly load: LoadProcess<'traffic'>,
  ) {}

  static async open(broker: Broker, traffic: Traffic, isSecure = false): Promise<OnACoreEach> {
    const target = isSecure ? broker.secure : broker.plain;
    const load = await LoadProcess.open({ ...traffic, kind: 'traffic', target });
    giveEachACore(broker, load);
    return new OnACoreEach(broker, load);
  }

  async run(milliseconds: number): Promise<Cost> {
    const before = cpuMicros(this.broker.pids);
    const { delivered, expected, latency } = await this.load.run(milliseconds);
    if (delivered !== expected) throw new Error(`${delivered} of ${expected} messages were delivered`);
    return { cpu: (cpuMicros(this.broker.pids) - before) / delivered, p50: latency.p50, p99: latency.p99 };
  }

  async close(): Promise<void> {
    this.load.kill();
    await this.broker.stop();
  }
}

/** The same with connections that come and go: CONNECT, CONNACK, DISCONNECT. */
export class ConnectionsOnACoreEach {
  private constructor(
    private readonly broker: Broker,
    private readonly load: LoadProcess<'connect'>,
  ) {}

  static async open(broker: Broker, port: keyof Ports): Promise<ConnectionsOnACoreEach> {
    const load = await LoadProcess.open({ kind: 'connect', target: broker[port], concurrency });
    giveEachACore(broker, load);
    return new ConnectionsOnACoreEach(broker, load);
  }

  /** CPU-microseconds of the broker for each of so many connections. */
  async run(count: number): Promise<{ readonly cpu: number }> {
    const before = cpuMicros(this.broker.pids);
    await this.load.run(count);
    return { cpu: (cpuMicros(this.broker.pids) - before) / count };
  }

  async close(): Promise<void> {
    this.load.kill();
    await this.broker.stop();
  }
}

function giveEachACore(broker: Broker, load: { readonly pid: number | undefined }): void {
  for (const pid of broker.pids) pin(pid, 0);
  pin(load.pid, 1);
}

/** Has all threads of a process stay on one core (util-linux, taskset(1)); on a machine with one core they do. */
function pin(pid: number | undefined, core: number): void {
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)], { stdio: 'ignore' });
}
