import { scratchDirectory } from '@moat/testkit';
import { medianOf } from '../median.js';
import { OnACoreEach, type Traffic } from '../on-a-core-each.js';
import { judge, type Verdict } from '../outcome.js';
import { type Certificate, makeCertificate } from '../peer/certificate.js';
import { startMoat } from '../peer/moat.js';
import type { Study } from '../study.js';

/** Fresh pairs of brokers: one process is by chance a tenth slower than another, for as long as it lives. */
const pairs = 15;
/** Short measurements of the two of a pair in turns. */
const turns = 5;
const turnMs = 700;
const warmUpMs = 1_200;

type Shape = Traffic & { readonly title: string; readonly atMost: number };

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
    for (const { title, atMost, ...traffic } of shapes) {
      const costs = { off: [] as number[], standard: [] as number[] };
      for (let pair = 0; pair < pairs; pair++) {
        const { off, standard } = await measurePair(certificate, traffic);
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
async function measurePair(certificate: Certificate, traffic: Traffic) {
  const open = { authorization: { default: 'allow' }, storage: { engine: 'memory' } };
  const off = await OnACoreEach.open(await startMoat(scratchDirectory(), certificate, open), traffic);
  const standard = await OnACoreEach.open(
    await startMoat(scratchDirectory(), certificate, { ...open, ...guarded }),
    traffic,
  );
  const costs = new Map<OnACoreEach, number[]>([
    [off, []],
    [standard, []],
  ]);
  try {
    for (const side of costs.keys()) await side.run(warmUpMs);
    for (let turn = 0; turn < turns; turn++)
      for (const side of turn % 2 === 0 ? [off, standard] : [standard, off])
        costs.get(side)?.push((await side.run(turnMs)).cpu);
    return { off: medianOf(costs.get(off) ?? []), standard: medianOf(costs.get(standard) ?? []) };
  } finally {
    for (const side of costs.keys()) await side.close();
  }
}

function micros(costs: readonly number[]): string {
  return medianOf(costs).toFixed(3);
}
