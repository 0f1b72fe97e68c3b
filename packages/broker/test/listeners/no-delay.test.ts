import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { startBroker } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { RawWebSocket } from '../support/web-socket.js';

/** What Node.js makes TCP sockets of. */
interface TcpHandle {
  setNoDelay(isOn: boolean): number;
  getsockname(name: { port?: number }): number;
}

/** What the operating system was last told of TCP_NODELAY, by the port at this end. */
const told = new Map<number, boolean>();

const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const handles: TcpHandle = Object.getPrototypeOf((probe as unknown as { _handle: TcpHandle })._handle);
probe.close();
const { setNoDelay } = handles;
handles.setNoDelay = function (this: TcpHandle, isOn) {
  const name: { port?: number } = {};
  this.getsockname(name);
  told.set(name.port ?? 0, isOn);
  return setNoDelay.call(this, isOn);
};
after(() => {
  handles.setNoDelay = setNoDelay;
});

const connack = 4;

async function overWebSocket(port: number, secure: boolean): Promise<void> {
  const client = await RawWebSocket.connect(port, { secure, rejectUnauthorized: false });
  client.send(connectPacket(4));
  await client.read(connack);
  client.end();
}

/** A client that has had its CONNACK, so that the broker's end is as it stays. */
const speak = {
  mqtt: async (port: number): Promise<void> => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(4));
    await client.read(connack);
    client.end();
  },
  mqtts: async (port: number): Promise<void> => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    socket.write(Buffer.from(connectPacket(4), 'hex'));
    await once(socket, 'data');
    socket.destroy();
  },
  ws: (port: number) => overWebSocket(port, false),
  wss: (port: number) => overWebSocket(port, true),
};

describe('set_tcp_nodelay', () => {
  for (const [protocol, connect] of Object.entries(speak))
    for (const isOn of [true, false])
      it(`${isOn ? 'sends small packets at once' : 'leaves them to be gathered'} over ${protocol}`, async () => {
        const listener = {
          protocol: protocol as keyof typeof speak,
          bind: '127.0.0.1',
          port: 0,
          set_tcp_nodelay: isOn,
        };
        const { port, stop } = await startBroker({ listeners: [listener] }, { prepare: TestAuthority.create });
        try {
          await connect(port);
          assert.equal(told.get(port) ?? false, isOn);
        } finally {
          await stop();
          told.delete(port);
        }
      });
});
