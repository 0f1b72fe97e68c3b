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
import { type Cost, showShare, type Turns, takeTurns } from './turns.js';

const effort = { rounds: 5, warmUp: 5, turns: 8 };
const turnMs = 1_000;

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
    const certificate = await makeCertificate(scratchDirectory());
    const brief = ({ cpu, p99 }: Cost<Metric>): string => `${cpu.toFixed(1)} µs, p99 ${p99.toFixed(2)} ms`;
    const rows: { cells: readonly string[] }[] = [];
    const verdicts: Verdict[] = [];
    for (const transport of transports) {
      const entrants = withMessages(pacedPeers, traffic, { transport, turnMs }, certificate);
      const turns = await takeTurns(entrants, effort, brief, say);
      for (const { name } of pacedPeers) rows.push({ cells: cellsOf(turns, name, transport) });
      verdicts.push(...floors[transport].map((floor) => verdictOf(turns, floor, transport)));
    }
    const head = ['broker', 'CPU, µs each', 'of Aedes', 'p50 ms', 'p99 ms', 'p99 of Mosquitto'];
    return { table: { title: 'One message a read', head, rows }, verdicts };
  },
};

type Metric = 'cpu' | 'p50' | 'p99';

interface Floor {
  readonly metric: Metric;
  readonly peer: string;
  readonly atMost: number;
}

const halfOfAedes: Floor = { metric: 'cpu', peer: 'aedes', atMost: 1 / 2 };
const floors: Readonly<Record<Transport, readonly Floor[]>> = {
  plain: [
    { metric: 'cpu', peer: 'mosquitto', atMost: 1.2 },
    { metric: 'p99', peer: 'mosquitto', atMost: 1 },
    halfOfAedes,
  ],
  TLS: [halfOfAedes],
};

function cellsOf(turns: Turns<Metric>, name: string, transport: Transport): string[] {
  return [
    `${name}, ${transport}`,
    turns.middle(name, 'cpu').toFixed(1),
    showShare(turns.share(name, 'aedes', 'cpu')),
    turns.middle(name, 'p50').toFixed(2),
    turns.middle(name, 'p99').toFixed(2),
    showShare(turns.share(name, 'mosquitto', 'p99')),
  ];
}

function verdictOf(turns: Turns<Metric>, { metric, peer, atMost }: Floor, transport: Transport): Verdict {
  const share = (name: string): number => turns.share(name, peer, metric).middle;
  const show = (value: number): string => `${value.toFixed(2)} of ${peer}`;
  const quantity = metric === 'cpu' ? 'broker CPU µs each' : `${metric} ms`;
  const result = judge({ atMost }, share('moat'), show, share('relay-c'), 'relay-c');
  return { title: `200 pairs, 15,000/s, ${transport}`, quantity, ...result };
}
