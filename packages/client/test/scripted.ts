import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

export const connack = () => [0x20, 3, 0, 0, 0];

/** A server for what no real broker does on demand: each packet of a connection gets the next answer, byte for byte. */
export async function startScripted(
  answers: readonly ((packet: Buffer) => number[])[],
): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    const left = [...answers];
    socket.on('data', (packet) => socket.write(Buffer.from(left.shift()?.(packet) ?? [])));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
