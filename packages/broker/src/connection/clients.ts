import { ReasonCode } from '@moat/codec';
import type { ClientInfo, Clients } from '../admin/client-routes.js';
import type { SessionRegistry } from '../session/registry.js';
import type { Connection } from './connection.js';

const versions = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;

/** The connected clients, for the admin interface. */
export function clientsOf(connections: Iterable<Connection>, registry: SessionRegistry): Clients {
  return {
    *list() {
      for (const connection of connections) {
        const info = infoOf(connection);
        if (info !== undefined) yield info;
      }
    },
    disconnect(clientId) {
      const link = registry.get(clientId)?.link;
      link?.close(ReasonCode.administrativeAction, 'disconnected by the operator');
      return link !== undefined;
    },
  };
}

/** Undefined for one that is not connected yet, or no more. */
function infoOf({ state, agreement, version, wire }: Connection): ClientInfo | undefined {
  if (state !== 'connected' || agreement === undefined) return undefined;
  const { clientId, principal, keepAlive, since } = agreement;
  const { username, method } = principal;
  const { remoteAddress: address, remotePort: port, listener } = wire.origin;
  return { clientId, username, method, address, port, listener, version: versions[version], keepAlive, since };
}
