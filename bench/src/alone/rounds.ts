import { scratchDirectory } from '@moat/testkit';
import { medianOf } from '../median.js';
import { type Cost, OnACoreEach, type Traffic } from '../on-a-core-each.js';
import { type Certificate, makeCertificate } from '../peer/certificate.js';
import type { Peer } from '../peer/peer.js';

/** A peer, and over what it is spoken to. */
export interface Entrant {
  readonly name: string;
  readonly peer: Peer;
  readonly isSecure: boolean;
}

/** What an entrant is named. */
export function named(peer: string, isSecure: boolean): string {
  return isSecure ? `${peer} TLS` : peer;
}

/** Each over TCP and over TLS. */
export function overBoth(peers: readonly Peer[]): Entrant[] {
  return [false, true].flatMap((isSecure) =>
    peers.map((peer) => ({ name: named(peer.name, isSecure), peer, isSecure })),
  );
}

/** Of each entrant, by its name. */
export type Round = ReadonlyMap<string, Cost>;

export interface Effort {
  /** Fresh processes of every entrant, one after the other; each runs alone. */
  readonly rounds: number;
  /** Short measurements of each process. */
  readonly turns: number;
  readonly turnMs: number;
  /** Until V8 has compiled what is hot: its threads share the core with the broker's. */
  readonly warmUpMs: number;
}

export async function measureRounds(
  entrants: readonly Entrant[],
  traffic: Traffic,
  effort: Effort,
  say: (line: string) => void,
): Promise<Round[]> {
  const certificate = await makeCertificate(scratchDirectory());
  const measured: Round[] = [];
  for (let round = 0; round < effort.rounds; round++) {
    const costs = new Map<string, Cost>();
    for (const entrant of entrants) costs.set(entrant.name, await measure(entrant, traffic, effort, certificate));
    const shown = [...costs].map(([name, { cpu, p99 }]) => `${name} ${cpu.toFixed(2)} µs, p99 ${p99.toFixed(2)} ms`);
    say(`${round + 1}/${effort.rounds}: ${shown.join('; ')}`);
    measured.push(costs);
  }
  return measured;
}

async function measure(
  { peer, isSecure }: Entrant,
  traffic: Traffic,
  { turns, turnMs, warmUpMs }: Effort,
  certificate: Certificate,
): Promise<Cost> {
  const side = await OnACoreEach.open(await peer.start(scratchDirectory(), certificate), traffic, isSecure);
  try {
    await side.run(warmUpMs);
    const costs: Cost[] = [];
    for (let turn = 0; turn < turns; turn++) costs.push(await side.run(turnMs));
    const middle = (name: keyof Cost): number => medianOf(costs.map((cost) => cost[name]));
    return { cpu: middle('cpu'), p50: middle('p50'), p99: middle('p99') };
  } finally {
    await side.close();
  }
}

export function of(round: Round, name: string): Cost {
  const cost = round.get(name);
  if (cost === undefined) throw new Error(`${name} was not measured`);
  return cost;
}

/** The better of a peer's settings (`NAME`, `NAME-…`) in a round, over TLS or not. */
export function bestOf(round: Round, name: string, metric: keyof Cost): number {
  const [peer = name, secure] = name.split(' ');
  const settings = [...round.keys()].filter((each) => {
    const [other = '', over] = each.split(' ');
    return over === secure && (other === peer || other.startsWith(`${peer}-`));
  });
  return Math.min(...settings.map((each) => of(round, each)[metric]));
}

/** Of the rounds: those of one round were measured one after the other. */
export function middleOf(rounds: readonly Round[], number: (round: Round) => number): number {
  return medianOf(rounds.map(number));
}
