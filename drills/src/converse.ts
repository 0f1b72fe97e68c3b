import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { fromHex, withDeadline } from '@moat/testkit';
import { createWebSocketStream, WebSocket } from 'ws';
import { host } from './broker/broker.js';

export const secureProtocols = ['mqtts', 'wss'] as const;
export type SecureProtocol = (typeof secureProtocols)[number];

/** How long a broker may take for all of it, in milliseconds. */
const patience = 10_000;

/**
 * Says all of `hex` at once over TLS, or over WebSocket over TLS, and hears what comes up to a PINGRESP or the end.
 *
 * @throws when there was no connection: the handshake failed
 */
export async function converse(
  protocol: SecureProtocol,
  port: number,
  tls: ConnectionOptions,
  hex: string,
): Promise<string> {
  const stream = await open(protocol, port, { rejectUnauthorized: false, ...tls });
  let heard = '';
  const answered = new Promise<void>((resolve) => {
    const end = (): void => resolve();
    stream.on('data', (bytes: Buffer) => {
      heard += bytes.toString('hex');
      if (heard.endsWith('d000')) resolve();
    });
    stream.on('end', end).on('close', end).on('error', end);
  });
  stream.write(fromHex(hex));
  await withDeadline(answered, () => 'neither an answer nor an end', patience).finally(() => stream.destroy());
  return heard;
}

async function open(protocol: SecureProtocol, port: number, tls: ConnectionOptions): Promise<Duplex> {
  if (protocol === 'wss') {
    const options = { perMessageDeflate: false, handshakeTimeout: patience, ...tls };
    const socket = new WebSocket(`wss://${host}:${port}/mqtt`, ['mqtt'], options as object);
    await once(socket, 'open');
    return createWebSocketStream(socket);
  }
  const socket = connect({ host, port, ...tls });
  await withDeadline(once(socket, 'secureConnect'), () => 'no end of the handshake', patience);
  return socket;
}
