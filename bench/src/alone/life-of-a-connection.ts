import { scratchDirectory } from '@moat/testkit';
import { judge, type Verdict } from '../outcome.js';
import { aedes } from '../peer/aedes.js';
import { makeCertificate } from '../peer/certificate.js';
import { moat } from '../peer/moat.js';
import { mosquitto } from '../peer/mosquitto.js';
import type { Ports } from '../peer/peer.js';
import { relay } from '../peer/relay.js';
import type { Study } from '../study.js';
import { withConnections } from './entrants.js';
import { showShare, takeTurns } from './turns.js';

export const connectionPeers = [moat('memory'), mosquitto(true), mosquitto(false), aedes, relay];

const effort = { rounds: 5, warmUp: 8, turns: 10 };

/** Connections that come and go on one port; Moat takes at most so many times what Mosquitto takes. */
function study(name: string, title: string, port: keyof Ports, perTurn: number, atMost: number): Study {
  return {
    name,
    async run(_effort, say) {
      const certificate = await makeCertificate(scratchDirectory());
      const entrants = withConnections(connectionPeers, port, perTurn, certificate);
      const turns = await takeTurns(entrants, effort, ({ cpu }) => `${cpu.toFixed(0)} µs`, say);
      const share = (name: string) => turns.share(name, 'mosquitto', 'cpu');
      const rows = connectionPeers.map(({ name }) => ({
        cells: [name, turns.middle(name, 'cpu').toFixed(0), showShare(share(name))],
      }));
      const show = (value: number): string => `${value.toFixed(2)} of mosquitto`;
      const result = judge({ atMost }, share('moat').middle, show, share('relay').middle);
      const verdict: Verdict = { title, quantity: 'broker CPU µs each', ...result };
      return { table: { title, head: ['broker', 'CPU, µs each', 'of Mosquitto'], rows }, verdicts: [verdict] };
    },
  };
}

export const connectionStudies: readonly Study[] = [
  study('connections-plain', 'Plain TCP', 'plain', 3_000, 2),
  study('connections-tls', 'TLS 1.3, full handshake', 'secure', 1_000, 1.1),
  study('connections-mutual', 'TLS 1.3, full handshake, with client certificates', 'mutual', 1_000, 1),
];
