import { spawnSync } from 'node:child_process';
import { LoadProcess, type TrafficPlan } from '@moat/cli/load';
import { cpuMicros, scratchDirectory } from '@moat/testkit';
import { medianOf } from '../median.js';
import { judge, type Verdict } from '../outcome.js';
import { type Certificate, makeCertificate } from '../peer/certificate.js';
import { startMoat } from '../peer/moat.js';
import type { Broker } from '../peer/peer.js';
import type { Study } from '../study.js';

/** Fresh pairs of brokers: one process is by chance a tenth slower than another, for as long as it lives. */
const pairs = 15;
/** Short measurements of the two of a pair in turns. */
const turns = 5;
const turnMs = 700;
const warmUpMs = 1_200;

type Shape = Omit<TrafficPlan, 'kind' | 'target'> & { readonly title: string; readonly atMost: number };

const small = { qos: 0, payloadBytes: 64 } as const;
const saturated = 1.03;
const shapes: readonly Shape[] = [
  { title: '1 → 1', atMost: saturated, ...small, publishers: 1, subscribers: 1, window: 2_000 },
  { title: '10 → 10', atMost: saturated, ...small, publishers: 10, subscribers: 10, window: 200 },
  { title: 'QoS 1, 10 → 10', atMost: saturated, ...small, publishers: 10, subscribers: 10, qos: 1, window: 20 },
  { title: 'paced', atMost: 1.05, ...small, publishers: 200, subscribers: 200, window: 64, perSecond: 15_000 },
];

/** As it comes, with rates that are counted and that the load does not reach. */
const guarded = {
  guard: { allow: ['127.0.0.0/8'] },
  limits: { profile: 'standard', max_publish_rate: 1e9, max_receive_rate: 1e12, connect_rate: 1e6 },
};

/** What it costs each message that somebody watches over it. */
export const guardCostStudy: Study = {
  name: 'guard-cost',
  async run(_effort, say) {
    const certificate = await makeCertificate(scratchDirectory());
    const rows: { cells: readonly string[] }[] = [];
    const verdicts: Verdict[] = [];
    for (const { title, atMost, ...plan } of shapes) {
      const costs = { off: [] as number[], standard: [] as number[] };
      for (let pair = 0; pair < pairs; pair++) {
        const { off, standard } = await measurePair(certificate, plan);
        costs.off.push(off);
        costs.standard.push(standard);
        say(`${title}, ${pair + 1}/${pairs}: off ${off.toFixed(3)} µs, standard ${standard.toFixed(3)}`);
      }
      // The two of a pair were measured under the same circumstances.
      const ratio = medianOf(costs.standard.map((cost, index) => cost / (costs.off[index] ?? Number.NaN)));
      rows.push({ cells: [title, micros(costs.off), micros(costs.standard), ratio.toFixed(3)] });
      const quantity = 'standard ÷ off';
      verdicts.push({ title, quantity, ...judge({ atMost }, ratio, (value) => value.toFixed(3)) });
    }
    const head = ['load', 'off, µs each', 'standard, µs each', 'standard ÷ off'];
    return { table: { title: 'Broker CPU of a message', head, rows }, verdicts };
  },
};

/** CPU-microseconds of the broker for each delivered message, without and with its guard. */
async function measurePair(certificate: Certificate, plan: Omit<TrafficPlan, 'kind' | 'target'>) {
  const open = { authorization: { default: 'allow' }, storage: { engine: 'memory' } };
  const brokers = [
    await startMoat(scratchDirectory(), certificate, open),
    await startMoat(scratchDirectory(), certificate, { ...open, ...guarded }),
  ] as const;
  const [off, standard] = [await Side.open(brokers[0], plan), await Side.open(brokers[1], plan)];
  try {
    for (const side of [off, standard]) await side.warmUp();
    for (let turn = 0; turn < turns; turn++)
      for (const side of turn % 2 === 0 ? [off, standard] : [standard, off]) await side.measure();
    return { off: medianOf(off.costs), standard: medianOf(standard.costs) };
  } finally {
    for (const side of [off, standard]) await side.close();
  }
}

/** A broker and its load, on a core each. */
class Side {
  readonly costs: number[] = [];

  private constructor(
    private readonly broker: Broker,
    private readonly load: LoadProcess<'traffic'>,
  ) {}

  static async open(broker: Broker, plan: Omit<TrafficPlan, 'kind' | 'target'>): Promise<Side> {
    const load = await LoadProcess.open({ ...plan, kind: 'traffic', target: broker.plain });
    for (const pid of broker.pids) pin(pid, 0);
    pin(load.pid, 1);
    return new Side(broker, load);
  }

  async warmUp(): Promise<void> {
    await this.load.run(warmUpMs);
  }

  async measure(): Promise<void> {
    const before = cpuMicros(this.broker.pids);
    const { delivered, expected } = await this.load.run(turnMs);
    if (delivered !== expected) throw new Error(`${delivered} of ${expected} messages were delivered`);
    this.costs.push((cpuMicros(this.broker.pids) - before) / delivered);
  }

  async close(): Promise<void> {
    this.load.kill();
    await this.broker.stop();
  }
}

/** Has all threads of a process stay on one core (util-linux, taskset(1)); on a machine with one core they do. */
function pin(pid: number | undefined, core: number): void {
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)], { stdio: 'ignore' });
}

function micros(costs: readonly number[]): string {
  return medianOf(costs).toFixed(3);
}
