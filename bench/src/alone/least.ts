import { scratchDirectory } from '@moat/testkit';
import type { Traffic } from '../on-a-core-each.js';
import { judge, type Verdict } from '../outcome.js';
import { aedes } from '../peer/aedes.js';
import { makeCertificate } from '../peer/certificate.js';
import { moat } from '../peer/moat.js';
import { mosquitto } from '../peer/mosquitto.js';
import { relay } from '../peer/relay.js';
import { relayInC } from '../peer/relay-in-c.js';
import type { Study } from '../study.js';
import { type Transport, transports, withMessages } from './entrants.js';
import { type Turns, takeTurns } from './turns.js';

const effort = { rounds: 5, warmUp: 8, turns: 10 };
const turnMs = 400;

export const leastPeers = [relayInC, relay, moat('memory'), mosquitto(true), mosquitto(false), aedes];

interface Floor {
  /** Of whom a share, and what share, over TCP and over TLS. */
  readonly peer: string;
  readonly plain: number;
  readonly TLS?: number;
}

/** Messages that come together: what they take beside what their bytes take of the system. */
function study(name: string, title: string, traffic: Traffic, floors: readonly Floor[]): Study {
  return {
    name,
    async run(_effort, say) {
      const certificate = await makeCertificate(scratchDirectory());
      const rows: { cells: readonly string[] }[] = [];
      const verdicts: Verdict[] = [];
      for (const transport of transports) {
        const entrants = withMessages(leastPeers, traffic, { transport, turnMs }, certificate);
        const turns = await takeTurns(entrants, effort, ({ cpu }) => `${cpu.toFixed(2)} µs`, say);
        for (const { name } of leastPeers) rows.push({ cells: cellsOf(turns, name, transport) });
        verdicts.push(...floors.flatMap((floor) => verdictsOf(turns, `${title}, ${transport}`, floor, transport)));
      }
      return { table: { title, head: ['broker', 'CPU, µs each', 'of Mosquitto', 'of Aedes'], rows }, verdicts };
    },
  };
}

type Measured = Turns<'cpu' | 'p50' | 'p99'>;

function cellsOf(turns: Measured, name: string, transport: Transport): string[] {
  const share = (peer: string): string => shareOf(turns.share(name, peer, 'cpu').middle);
  return [`${name}, ${transport}`, turns.middle(name, 'cpu').toFixed(2), share('mosquitto'), share('aedes')];
}

function verdictsOf(turns: Measured, title: string, { peer, plain, TLS }: Floor, transport: Transport): Verdict[] {
  const atMost = transport === 'TLS' ? TLS : plain;
  if (atMost === undefined) return [];
  const share = (name: string): number => turns.share(name, peer, 'cpu').middle;
  const show = (value: number): string => `${shareOf(value)} of ${peer}`;
  const result = judge({ atMost }, share('moat'), show, share('relay-c'), 'relay-c');
  return [{ title, quantity: 'broker CPU µs each', ...result }];
}

function shareOf(value: number): string {
  return value < 0.75 ? `1/${(1 / value).toFixed(2)}` : value.toFixed(2);
}

const pair = { publishers: 1, subscribers: 1 };

export const leastStudies: readonly Study[] = [
  study('windows', 'QoS 1, 1 → 1', { ...pair, qos: 1, payloadBytes: 64, window: 20 }, [
    { peer: 'mosquitto', plain: 1 / 4, TLS: 1 / 6 },
    { peer: 'aedes', plain: 1 / 5, TLS: 1 / 5 },
  ]),
  study('large-messages', '16 KiB, 1 → 1', { ...pair, qos: 0, payloadBytes: 16_384, window: 64 }, [
    { peer: 'mosquitto', plain: 1 / 2 },
    { peer: 'aedes', plain: 1 / 5, TLS: 1 / 5 },
  ]),
];
