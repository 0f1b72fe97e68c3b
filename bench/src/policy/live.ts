import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Broker, type Configuration, parseConfiguration } from '@moat/broker';
import { LoadProcess } from '@moat/cli/load';
import { removeDirectory, scratchDirectory } from '@moat/testkit';
import { judge } from '../outcome.js';
import { host } from '../peer/peer.js';
import type { Measured } from './decisions.js';
import { fleet, policyText } from './fleet.js';

const connections = 10_000;
const repeats = 3;
/** Milliseconds for which nothing else may have to wait. */
const longestPause = 20;

const log = {
  debug() {},
  info() {},
  warn() {},
  error(fields: object) {
    process.stderr.write(`${JSON.stringify(fields)}\n`);
  },
};
const open = '- { allow: [publish, subscribe, receive], topics: bench/# }\n';

interface Pause {
  readonly what: string;
  /** Milliseconds. */
  readonly pause: number;
  readonly took: number;
}

/**
 * How long the event loop is held up while 10,000 connections, each with a subscription, get another policy: the longest
 * pause that any of several brokers makes.
 */
export async function measureLive(say: (line: string) => void): Promise<Measured> {
  const rounds: (readonly Pause[])[] = [];
  for (let round = 0; round < repeats; round++) rounds.push(await measureOnce(say));
  const [first = []] = rounds;
  const longest = (index: number, of: (pause: Pause) => number): number =>
    Math.max(...rounds.map((round) => of(round[index] as Pause)));
  return report(
    first.map(({ what }, index) => ({
      what,
      pause: longest(index, ({ pause }) => pause),
      took: longest(index, ({ took }) => took),
    })),
  );
}

async function measureOnce(say: (line: string) => void): Promise<readonly Pause[]> {
  const directory = scratchDirectory();
  const file = join(directory, 'policy.yaml');
  const configuration = configurationFor(directory);
  const small = policyText(fleet(1_000));
  writeFileSync(file, small + open);
  const broker = await Broker.start({ configuration, log });
  const port = broker.listeners[0]?.port ?? 0;
  const target = { host, port };
  const load = await LoadProcess.open({
    kind: 'traffic',
    target,
    publishers: 1,
    subscribers: connections,
    qos: 0,
    payloadBytes: 64,
    window: 1,
  });
  try {
    const pauses: Pause[] = [];
    const idle = await pauseOf(() => new Promise((resolve) => setTimeout(resolve, 1_000)));
    pauses.push({ what: 'none, no reload', ...idle });
    for (const [what, policy] of [
      ['1,000 rules, nothing lost', `${small}# again\n${open}`],
      ['100,000 rules, nothing lost', policyText(fleet(100_000)) + open],
      ['1,000 rules, every subscription lost', small],
    ] as const) {
      writeFileSync(file, policy);
      const measured = await pauseOf(() => broker.reload(configuration));
      pauses.push({ what, ...measured });
      say(`${what}: ${measured.pause.toFixed(1)} ms, in all ${measured.took.toFixed(0)} ms`);
    }
    const { subscriptions } = broker.status();
    if (subscriptions !== 0) throw new Error(`${subscriptions} subscriptions are left`);
    return pauses;
  } finally {
    load.kill();
    await broker.stop();
    removeDirectory(directory);
  }
}

async function pauseOf(work: () => Promise<unknown>): Promise<{ pause: number; took: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  delay.enable();
  const start = performance.now();
  await work();
  const took = performance.now() - start;
  await new Promise((resolve) => setTimeout(resolve, 50));
  delay.disable();
  return { pause: delay.max / 1e6, took };
}

function configurationFor(directory: string): Configuration {
  const text = JSON.stringify({
    data_dir: directory,
    listeners: [{ protocol: 'mqtt', port: 0, max_connections: 20_000 }],
    authentication: { allow_anonymous: true },
    authorization: { default: 'deny' },
    limits: { profile: 'off' },
    storage: { engine: 'memory' },
    sys_interval: 0,
  });
  return parseConfiguration(text, join(directory, 'moat.yaml'));
}

function report(pauses: readonly Pause[]): Measured {
  return {
    tables: [
      {
        title: `Another policy for ${connections.toLocaleString('en-US')} connections with a subscription each`,
        head: ['policy', 'what happens', 'longest pause', 'until nothing is left of the old one'],
        rows: pauses.map(({ what, pause, took }) => {
          const [policy = '', happens = ''] =
            what.split(', ').length === 2
              ? what.split(', ')
              : [what.slice(0, what.lastIndexOf(',')), what.slice(what.lastIndexOf(',') + 2)];
          return { cells: [policy, happens, `${pause.toFixed(1)} ms`, `${(took / 1_000).toFixed(2)} s`] };
        }),
      },
    ],
    verdicts: pauses.slice(1).map(({ what, pause }) => ({
      title: what,
      quantity: 'longest pause',
      ...judge({ atMost: longestPause }, pause, (value) => `${value.toFixed(1)} ms`),
    })),
  };
}
