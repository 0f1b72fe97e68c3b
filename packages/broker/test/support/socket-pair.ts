import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { scratchDirectory, selfSigned } from '@moat/testkit';

/** A socket that was accepted and has yet to be read, with its peer. */
export async function socketPair() {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  return { client, socket, close: () => server.close() };
}

let identity: ReturnType<typeof selfSigned> | undefined;

/** As {@link socketPair}, over TLS. Needs `cleanUpAtExit`. */
export async function securePair() {
  identity ??= selfSigned(scratchDirectory(), '/CN=localhost');
  const server = createTlsServer(await identity);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client: Socket = connectTls({ port: (server.address() as AddressInfo).port, rejectUnauthorized: false });
  const [socket] = (await once(server, 'secureConnection')) as [Socket];
  return { client, socket, close: () => server.close() };
}
