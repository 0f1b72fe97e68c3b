import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { acceptInto } from '../../dist/transport/accept.js';

type Accepted = { socket: Socket; readsByCallback: boolean };

async function accepting(sabotage: (server: ReturnType<typeof createServer>) => void) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  sabotage(server);
  const reads: string[] = [];
  let resolve: (accepted: Accepted) => void = () => {};
  const accepted = new Promise<Accepted>((done) => {
    resolve = done;
  });
  acceptInto(
    server,
    (length, buffer) => {
      reads.push(Buffer.from(buffer.subarray(0, length)).toString());
      return true;
    },
    (socket, readsByCallback) => resolve({ socket, readsByCallback }),
  );
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  return { server, client, reads, accepted };
}

describe('Accepting', () => {
  it('hands out sockets that read into one buffer, know their peer and close with it', async () => {
    const { server, client, reads, accepted } = await accepting(() => {});
    const { socket, readsByCallback } = await accepted;
    assert.equal(readsByCallback, true);
    assert.equal(socket.remoteAddress, '127.0.0.1');
    socket.resume();
    client.write('hello');
    socket.write('welcome');
    const [answer] = await once(client, 'data');
    assert.equal(String(answer), 'welcome');
    client.end();
    await once(socket, 'close');
    assert.equal(reads.join(''), 'hello');
    server.close();
    await once(server, 'close');
  });

  it('goes the ordinary way where Node.js has no such handle', async () => {
    const { server, client, accepted } = await accepting((victim) => {
      const { _handle: handle } = victim as unknown as { _handle: object };
      // What a later version of Node.js might call otherwise.
      const hidden = new Proxy(handle, {
        get: (target, name) => (name === 'onconnection' ? undefined : Reflect.get(target, name).bind?.(target)),
      });
      Object.defineProperty(victim, '_handle', { value: hidden, configurable: true, writable: true });
    });
    const { socket, readsByCallback } = await accepted;
    assert.equal(readsByCallback, false);
    client.write('hello');
    const [chunk] = await once(socket, 'data');
    assert.equal(String(chunk), 'hello');
    client.destroy();
    await once(socket, 'close');
    server.unref();
  });
});
