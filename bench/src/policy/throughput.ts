import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LoadProcess } from '@moat/cli/load';
import { cpuMicros, removeDirectory, scratchDirectory } from '@moat/testkit';
import { medianOf } from '../median.js';
import { judge } from '../outcome.js';
import { makeCertificate } from '../peer/certificate.js';
import { startMoat } from '../peer/moat.js';
import type { Measured } from './decisions.js';
import { fleet, policyText } from './fleet.js';

/** What a round reaches is by chance up to a tenth more or less than another: how reads and writes happen to meet. */
const rounds = 15;
const warmUpMs = 1_500;
const durationMs = 3_000;
/** Of the throughput without a policy. */
const atLeast = 0.95;

/** A thousand rules, of which the last lets the load through. */
const policy = `${policyText(fleet(990))}- { allow: [publish, subscribe, receive], topics: "bench/+/#" }\n`;

/**
 * Messages a second of the broker's CPU, with a policy of 1,000 rules and with one that allows everything, in turns: what a
 * saturated broker reaches on a core of its own, however busy the machine is besides.
 */
export async function measureThroughput(say: (line: string) => void): Promise<Measured> {
  const results = { without: [] as number[], with: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const kinds = ['without', 'with'] as const;
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      const rate = await measureOnce(kind === 'with');
      results[kind].push(rate);
      say(`10 → 10, ${kind} a policy, ${round + 1}/${rounds}: ${Math.round(rate)} messages a CPU second`);
    }
  }
  // Each pair of neighbours was measured under the same circumstances.
  const share = medianOf(results.with.map((rate, index) => rate / (results.without[index] ?? Number.NaN)));
  const format = (value: number) => Math.round(value).toLocaleString('en-US');
  return {
    tables: [
      {
        title: 'Throughput, 10 → 10, QoS 0, saturated',
        head: ['policy', 'rounds', 'messages a CPU second'],
        rows: [
          { cells: ['none', String(rounds), format(medianOf(results.without))] },
          { cells: ['1,000 rules', String(rounds), format(medianOf(results.with))] },
        ],
      },
    ],
    verdicts: [
      {
        title: 'throughput with 1,000 rules',
        quantity: 'without ÷ with',
        ...judge({ atMost: 1 / atLeast }, 1 / share, (value) => value.toFixed(3)),
      },
    ],
  };
}

async function measureOnce(hasPolicy: boolean): Promise<number> {
  const directory = scratchDirectory();
  const certificate = await makeCertificate(directory);
  try {
    if (hasPolicy) writeFileSync(join(directory, 'policy.yaml'), policy);
    const broker = await startMoat(directory, certificate, {
      authorization: { default: hasPolicy ? 'deny' : 'allow' },
      storage: { engine: 'memory' },
    });
    const load = await LoadProcess.open({
      kind: 'traffic',
      target: broker.plain,
      publishers: 10,
      subscribers: 10,
      qos: 0,
      payloadBytes: 64,
      window: 200,
    });
    try {
      await load.run(warmUpMs);
      const before = cpuMicros(broker.pids);
      const { delivered, expected } = await load.run(durationMs);
      if (delivered !== expected) throw new Error(`${delivered} of ${expected} messages were delivered`);
      return (delivered / (cpuMicros(broker.pids) - before)) * 1e6;
    } finally {
      load.kill();
      await broker.stop();
    }
  } finally {
    removeDirectory(directory);
  }
}
