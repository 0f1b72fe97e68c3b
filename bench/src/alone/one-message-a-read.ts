import { scratchDirectory } from '@moat/testkit';
import { medianOf } from '../median.js';
import { type Cost, OnACoreEach, type Traffic } from '../on-a-core-each.js';
import { judge, type Verdict } from '../outcome.js';
import { aedes } from '../peer/aedes.js';
import { type Certificate, makeCertificate } from '../peer/certificate.js';
import { moat } from '../peer/moat.js';
import { mosquitto } from '../peer/mosquitto.js';
import type { Peer } from '../peer/peer.js';
import { relay } from '../peer/relay.js';
import { relayInC } from '../peer/relay-in-c.js';
import type { Study } from '../study.js';

/** Fresh processes of every peer, one after the other; each runs alone. */
const rounds = 7;
/** Short measurements of each process. */
const turns = 5;
const turnMs = 1_000;
/** Until V8 has compiled what is hot: its threads share the core with the broker's. */
const warmUpMs = 5_000;

const traffic: Traffic = {
  publishers: 200,
  subscribers: 200,
  qos: 0,
  payloadBytes: 64,
  window: 64,
  perSecond: 15_000,
};

export const pacedPeers = [moat('memory'), mosquitto(true), mosquitto(false), aedes, relay, relayInC];

type Round = ReadonlyMap<string, Cost>;

/** What a message costs that comes alone, with a core for the broker. */
export const pacedStudy: Study = {
  name: 'one-message-a-read',
  async run(_effort, say) {
    const certificate = await makeCertificate(scratchDirectory());
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      const costs = new Map<string, Cost>();
      for (const peer of pacedPeers) costs.set(peer.name, await measure(peer, certificate));
      const shown = [...costs].map(([name, { cpu, p99 }]) => `${name} ${cpu.toFixed(1)} µs, p99 ${p99.toFixed(2)} ms`);
      say(`${round + 1}/${rounds}: ${shown.join('; ')}`);
      measured.push(costs);
    }
    const head = ['broker', 'CPU, µs each', 'of Aedes', 'p50 ms', 'p99 ms'];
    const rows = pacedPeers.map(({ name }) => ({ cells: [name, ...cellsOf(measured, name)] }));
    return { table: { title: 'One message a read', head, rows }, verdicts: verdictsOf(measured) };
  },
};

async function measure(peer: Peer, certificate: Certificate): Promise<Cost> {
  const side = await OnACoreEach.open(await peer.start(scratchDirectory(), certificate), traffic);
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

function cellsOf(measured: readonly Round[], name: string): string[] {
  const middle = (metric: keyof Cost): number => medianOf(measured.map((round) => of(round, name)[metric]));
  const ratios = measured.map((round) => of(round, name).cpu / of(round, 'aedes').cpu);
  const span = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return [
    middle('cpu').toFixed(1),
    `${medianOf(ratios).toFixed(2)} (${span})`,
    middle('p50').toFixed(2),
    middle('p99').toFixed(2),
  ];
}

/** Each as the median of the rounds: those of one round were measured one after the other. */
function verdictsOf(measured: readonly Round[]): Verdict[] {
  const share = (name: string, metric: keyof Cost, against: (round: Round) => number): number =>
    medianOf(measured.map((round) => of(round, name)[metric] / against(round)));
  const verdict = (
    quantity: string,
    metric: keyof Cost,
    peer: string,
    atMost: number,
    against: (round: Round) => number,
  ): Verdict => {
    const [own, bare] = [share('moat', metric, against), share('relay', metric, against)];
    const show = (value: number): string => `${value.toFixed(2)} of ${peer}`;
    return { title: '200 pairs, 15,000/s, plain', quantity, ...judge({ atMost }, own, show, bare) };
  };
  const better =
    (metric: keyof Cost) =>
    (round: Round): number =>
      Math.min(of(round, 'mosquitto')[metric], of(round, 'mosquitto-nagle')[metric]);
  return [
    verdict('broker CPU µs each', 'cpu', 'mosquitto', 1.2, better('cpu')),
    verdict('p99 ms', 'p99', 'mosquitto', 1, better('p99')),
    verdict('broker CPU µs each', 'cpu', 'aedes', 1 / 2, (round) => of(round, 'aedes').cpu),
  ];
}

function of(round: Round, name: string): Cost {
  const cost = round.get(name);
  if (cost === undefined) throw new Error(`${name} was not measured`);
  return cost;
}
