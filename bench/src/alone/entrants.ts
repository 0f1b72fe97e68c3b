import { scratchDirectory } from '@moat/testkit';
import { ConnectionsOnACoreEach, OnACoreEach, type Traffic } from '../on-a-core-each.js';
import type { Certificate } from '../peer/certificate.js';
import type { Peer, Ports } from '../peer/peer.js';
import type { Entrant } from './turns.js';

/** TCP, and TLS: each is measured by itself. */
export const transports = ['plain', 'TLS'] as const;
export type Transport = (typeof transports)[number];

/** Each peer with messages, for so long at a time. */
export function withMessages(
  peers: readonly Peer[],
  traffic: Traffic,
  { transport, turnMs }: { readonly transport: Transport; readonly turnMs: number },
  certificate: Certificate,
): Entrant<'cpu' | 'p50' | 'p99'>[] {
  return peers.map((peer) => ({
    name: peer.name,
    async open() {
      const broker = await peer.start(scratchDirectory(), certificate);
      const side = await OnACoreEach.open(broker, traffic, transport === 'TLS');
      return { turn: () => side.run(turnMs), close: () => side.close() };
    },
  }));
}

/** Each peer with connections to one of its ports, so many at a time. */
export function withConnections(
  peers: readonly Peer[],
  port: keyof Ports,
  perTurn: number,
  certificate: Certificate,
): Entrant<'cpu'>[] {
  return peers.map((peer) => ({
    name: peer.name,
    async open() {
      const side = await ConnectionsOnACoreEach.open(await peer.start(scratchDirectory(), certificate), port);
      return { turn: () => side.run(perTurn), close: () => side.close() };
    },
  }));
}
