import { parseArgs } from 'node:util';
import type { Part } from './part.js';
import type { Effort } from './scenario.js';

export const usage = `Usage: npm run bench -- [options]
       npm run bench -- policy [--write]   what a policy costs, beside other engines

  --part NAMES       only these: memory, durable; scale, identity, guard, paced, least and connections, which are not
                     measured by default
  --scenario NAMES   only these, separated by commas; * at the end matches any rest (tls-*)
  --peers NAMES      only these brokers
  --duration SECONDS of each measurement (default 3)
  --repeat N         measurements, of which the median counts (default 3)
  --queued N         messages of scale for sessions that are away (default 1,000,000)
  --quick            one short measurement each, fewer connections
  --json             print JSON
  --write            write what was measured into docs/reference/performance.md, or performance/NAME.md
  --help

Example: npm run bench -- --quick --scenario 1-1,qos1-1-1 --peers moat,mosquitto
`;

const thorough: Effort = {
  warmUpMs: 3000,
  durationMs: 3000,
  repeat: 3,
  idlePlain: 10_000,
  idleSecure: 10_000,
  connectPlain: 10_000,
  connectSecure: 2000,
  settleMs: 10_000,
  storedSessions: 100_000,
  storedRetained: 1_000_000,
  queued: 1_000_000,
};

const quick: Effort = {
  warmUpMs: 500,
  durationMs: 1000,
  repeat: 1,
  idlePlain: 2000,
  idleSecure: 1000,
  connectPlain: 2000,
  connectSecure: 400,
  settleMs: 1000,
  storedSessions: 10_000,
  storedRetained: 50_000,
  queued: 100_000,
};

export interface Arguments {
  readonly help: boolean;
  readonly json: boolean;
  readonly write: boolean;
  readonly effort: Effort;
  /** The parts to run, with only what was asked for in them. */
  readonly chosen: readonly Part[];
}

/** @throws Error that says which argument is wrong */
export function readArguments(args: string[], parts: readonly Part[]): Arguments {
  const { values } = parseArgs({
    args,
    options: {
      part: { type: 'string' },
      scenario: { type: 'string' },
      peers: { type: 'string' },
      duration: { type: 'string' },
      repeat: { type: 'string' },
      queued: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.write && (values.scenario ?? values.peers) !== undefined) {
    throw new Error('--write is for whole parts: every scenario with every broker');
  }
  const effort = values.quick ? quick : thorough;
  const byDefault = values.scenario === undefined ? parts.filter(({ page }) => page === undefined) : parts;
  const within = choose('--part', values.part, values.part === undefined ? byDefault : parts);
  const named = within.flatMap(({ scenarios, studies }) => [...scenarios, ...studies]);
  const measured = new Set(choose<{ name: string }>('--scenario', values.scenario, named));
  const peers = new Set(
    choose(
      '--peers',
      values.peers,
      within.flatMap((part) => part.peers),
    ),
  );
  return {
    help: values.help,
    json: values.json,
    write: values.write,
    effort: {
      ...effort,
      durationMs: positive('--duration', values.duration, effort.durationMs / 1000) * 1000,
      repeat: Math.ceil(positive('--repeat', values.repeat, effort.repeat)),
      queued: Math.ceil(positive('--queued', values.queued, effort.queued)),
    },
    chosen: within
      .map((part) => ({
        ...part,
        scenarios: part.scenarios.filter((scenario) => measured.has(scenario)),
        studies: part.studies.filter((study) => measured.has(study)),
        peers: part.peers.filter((peer) => peers.has(peer)),
      }))
      .filter(({ scenarios, studies }) => scenarios.length + studies.length > 0),
  };
}

function positive(option: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!(value > 0)) throw new Error(`${option} takes a number above 0, not '${text}'`);
  return value;
}

function choose<T extends { readonly name: string }>(
  option: string,
  text: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (text === undefined) return all;
  const chosen = new Set<T>();
  for (const pattern of text.split(',')) {
    const matches = all.filter(({ name }) =>
      pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    );
    if (matches.length === 0)
      throw new Error(`${option}: no '${pattern}' among ${[...new Set(all.map(({ name }) => name))].join(', ')}`);
    for (const match of matches) chosen.add(match);
  }
  return all.filter((one) => chosen.has(one));
}
