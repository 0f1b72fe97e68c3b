import type { Traffic } from '../on-a-core-each.js';
import { judge, type Verdict } from '../outcome.js';
import { aedes } from '../peer/aedes.js';
import { moat } from '../peer/moat.js';
import { mosquitto } from '../peer/mosquitto.js';
import { relay } from '../peer/relay.js';
import { relayInC } from '../peer/relay-in-c.js';
import type { Study } from '../study.js';
import { bestOf, type Entrant, measureRounds, middleOf, named, of, overBoth, type Round } from './rounds.js';

const effort = { rounds: 5, turns: 5, turnMs: 400, warmUpMs: 3_000 };

export const leastPeers = [relayInC, relay, moat('memory'), mosquitto(true), mosquitto(false), aedes];

const entrants = overBoth(leastPeers);

interface Floor {
  /** Of whom a share, and what share, over TCP and over TLS. */
  readonly peer: string;
  readonly plain: number;
  readonly secure?: number;
}

/** Messages that come together: what they take beside what their bytes take of the system. */
function study(name: string, title: string, traffic: Traffic, floors: readonly Floor[]): Study {
  return {
    name,
    async run(_effort, say) {
      const measured = await measureRounds(entrants, traffic, effort, say);
      const head = ['broker', 'CPU, µs each', 'of Mosquitto', 'of Aedes'];
      const rows = entrants.map((entrant) => ({ cells: cellsOf(measured, entrant) }));
      return { table: { title, head, rows }, verdicts: floors.flatMap((floor) => verdictsOf(measured, title, floor)) };
    },
  };
}

function cellsOf(measured: readonly Round[], { name, isSecure }: Entrant): string[] {
  const share = (peer: string): string => {
    const against = named(peer, isSecure);
    return shareOf(middleOf(measured, (round) => of(round, name).cpu / bestOf(round, against, 'cpu')));
  };
  return [name, middleOf(measured, (round) => of(round, name).cpu).toFixed(2), share('mosquitto'), share('aedes')];
}

function verdictsOf(measured: readonly Round[], title: string, { peer, plain, secure }: Floor): Verdict[] {
  const verdict = (atMost: number, isSecure: boolean): Verdict => {
    const share = (name: string): number =>
      middleOf(measured, (round) => of(round, named(name, isSecure)).cpu / bestOf(round, named(peer, isSecure), 'cpu'));
    const show = (value: number): string => `${shareOf(value)} of ${peer}`;
    const where = isSecure ? 'TLS' : 'plain';
    const result = judge({ atMost }, share('moat'), show, share('relay-c'), 'relay-c');
    return { title: `${title}, ${where}`, quantity: 'broker CPU µs each', ...result };
  };
  return [verdict(plain, false), ...(secure === undefined ? [] : [verdict(secure, true)])];
}

function shareOf(value: number): string {
  return value < 0.75 ? `1/${(1 / value).toFixed(2)}` : value.toFixed(2);
}

const pair = { publishers: 1, subscribers: 1 };

export const leastStudies: readonly Study[] = [
  study('windows', 'QoS 1, 1 → 1', { ...pair, qos: 1, payloadBytes: 64, window: 20 }, [
    { peer: 'mosquitto', plain: 1 / 4, secure: 1 / 6 },
    { peer: 'aedes', plain: 1 / 5, secure: 1 / 5 },
  ]),
  study('large-messages', '16 KiB, 1 → 1', { ...pair, qos: 0, payloadBytes: 16_384, window: 64 }, [
    { peer: 'mosquitto', plain: 1 / 2 },
    { peer: 'aedes', plain: 1 / 5, secure: 1 / 5 },
  ]),
];
