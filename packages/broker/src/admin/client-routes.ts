import { z } from 'zod';
import { OperatorError } from '../errors.js';
import { jsonArray, unhurried } from './json-stream.js';
import { requestOf } from './request.js';
import type { AdminRoute } from './route.js';

/** A connected client. */
export interface ClientInfo {
  readonly clientId: string;
  readonly username: string | undefined;
  /** How it proved who it is. */
  readonly method: string;
  readonly address: string;
  readonly port: number;
  readonly listener: string;
  readonly version: '3.1' | '3.1.1' | '5.0';
  /** Seconds; 0 for none. */
  readonly keepAlive: number;
  /** When it connected, in wall-clock milliseconds. */
  readonly since: number;
}

/** The clients of a broker, as far as this room has to know them. */
export interface Clients {
  list(): Iterable<ClientInfo>;
  /** Ends a connection with DISCONNECT 0x98; false when there is none. */
  disconnect(clientId: string): boolean;
}

const one = z.strictObject({ client_id: z.string() });

/** Looking at connected clients and disconnecting them. */
export function clientRoutes(clients: Clients): AdminRoute[] {
  return [
    { method: 'GET', path: '/clients', handle: () => jsonArray(unhurried(clients.list())) },
    {
      method: 'POST',
      path: '/clients/disconnect',
      handle: ({ body }) => {
        const { client_id: clientId } = requestOf(one, body);
        if (clients.disconnect(clientId)) return {};
        throw new OperatorError('admin.not_found', `no client ${clientId} is connected`);
      },
    },
  ];
}
