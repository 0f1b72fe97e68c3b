import type { Cost, Traffic } from '../on-a-core-each.js';
import { judge, type Verdict } from '../outcome.js';
import { aedes } from '../peer/aedes.js';
import { moat } from '../peer/moat.js';
import { mosquitto } from '../peer/mosquitto.js';
import { relay } from '../peer/relay.js';
import { relayInC } from '../peer/relay-in-c.js';
import type { Study } from '../study.js';
import { bestOf, type Entrant, measureRounds, middleOf, named, of, overBoth, type Round } from './rounds.js';

const effort = { rounds: 5, turns: 5, turnMs: 1_000, warmUpMs: 5_000 };

const traffic: Traffic = {
  publishers: 200,
  subscribers: 200,
  qos: 0,
  payloadBytes: 64,
  window: 64,
  perSecond: 15_000,
};

export const pacedPeers = [moat('memory'), mosquitto(true), mosquitto(false), aedes, relay, relayInC];

/** What a message costs that comes alone, with a core for the broker. */
export const pacedStudy: Study = {
  name: 'one-message-a-read',
  async run(_effort, say) {
    const entrants = overBoth(pacedPeers);
    const measured = await measureRounds(entrants, traffic, effort, say);
    const head = ['broker', 'CPU, µs each', 'of Aedes', 'p50 ms', 'p99 ms'];
    const rows = entrants.map((entrant) => ({ cells: [entrant.name, ...cellsOf(measured, entrant)] }));
    return { table: { title: 'One message a read', head, rows }, verdicts: verdictsOf(measured) };
  },
};

function cellsOf(measured: readonly Round[], { name, isSecure }: Entrant): string[] {
  const middle = (metric: keyof Cost): number => middleOf(measured, (round) => of(round, name)[metric]);
  const aedesCost = (round: Round): number => of(round, named('aedes', isSecure)).cpu;
  const share = (round: Round): number => of(round, name).cpu / aedesCost(round);
  const ratios = measured.map(share);
  const span = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return [
    middle('cpu').toFixed(1),
    `${middleOf(measured, share).toFixed(2)} (${span})`,
    middle('p50').toFixed(2),
    middle('p99').toFixed(2),
  ];
}

function verdictsOf(measured: readonly Round[]): Verdict[] {
  const verdict = (quantity: string, metric: keyof Cost, peer: string, atMost: number, isSecure = false): Verdict => {
    const share = (name: string): number =>
      middleOf(
        measured,
        (round) => of(round, named(name, isSecure))[metric] / bestOf(round, named(peer, isSecure), metric),
      );
    const show = (value: number): string => `${value.toFixed(2)} of ${peer}`;
    const title = `200 pairs, 15,000/s, ${isSecure ? 'TLS' : 'plain'}`;
    return { title, quantity, ...judge({ atMost }, share('moat'), show, share('relay-c'), 'relay-c') };
  };
  return [
    verdict('broker CPU µs each', 'cpu', 'mosquitto', 1.2),
    verdict('p99 ms', 'p99', 'mosquitto', 1),
    verdict('broker CPU µs each', 'cpu', 'aedes', 1 / 2),
    verdict('broker CPU µs each', 'cpu', 'aedes', 1 / 2, true),
  ];
}
