import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { readPacket } from './broker.js';
import type { ClientIdentity } from './certificates.js';
import { type ConnectFields, connectPacket } from './packets.js';
import { RawClient } from './raw-client.js';
import { RawWebSocket } from './web-socket.js';

/** Protocols whose listeners judge certificates: by the same code, so by the same tests. */
export const secureProtocols = ['mqtts', 'wss'] as const;
export type SecureProtocol = (typeof secureProtocols)[number];

/** The return code of CONNACK that a bearer of a certificate gets: 0 is welcome, 5 not authorized. */
export async function returnCodeFor(
  protocol: SecureProtocol,
  port: number,
  identity: ClientIdentity | undefined,
  fields: ConnectFields = {},
  host = '127.0.0.1',
): Promise<number> {
  const connack = await (protocol === 'mqtts' ? overTls : overWebSocket)(
    host,
    port,
    identity,
    connectPacket(4, fields),
  );
  return Number.parseInt(connack.slice(6, 8), 16);
}

async function overTls(
  host: string,
  port: number,
  identity: ClientIdentity | undefined,
  connect: string,
): Promise<string> {
  const socket = connectTls({ host, port, rejectUnauthorized: false, ...identity });
  await once(socket, 'secureConnect');
  const client = RawClient.over(socket);
  client.send(connect);
  const connack = await readPacket(client);
  client.end();
  return connack;
}

async function overWebSocket(
  host: string,
  port: number,
  identity: ClientIdentity | undefined,
  connect: string,
): Promise<string> {
  const client = await RawWebSocket.connect(port, { host, secure: true, rejectUnauthorized: false, ...identity });
  client.send(connect);
  const connack = await client.read(4);
  client.end();
  return connack;
}
