import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { judge } from '../outcome.js';
import type { Measured } from './decisions.js';

export const connections = 10_000;
const repeats = 3;
/** Milliseconds for which nothing else may have to wait. */
const longestPause = 20;

export interface Pause {
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
  const pauses: Pause[] = [];
  const broker = fork(fileURLToPath(new URL('./live-broker.js', import.meta.url)));
  broker.on('message', (pause: Pause) => {
    pauses.push(pause);
    say(`${pause.what}: ${pause.pause.toFixed(1)} ms, in all ${pause.took.toFixed(0)} ms`);
  });
  const [code] = (await once(broker, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the broker that was measured ended with ${code}`);
  return pauses;
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
