import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type ClientError, type ConnectOptions, connect } from '@moat/client';
import { needs } from '@moat/testkit';
import { type Peer, startPeer } from './peer.js';

describe('Somebody on the way who alters what the broker says', needs('mosquitto', 'openssl'), () => {
  let peer: Peer;
  let meddler: Server;
  /** Is handed whatever the broker sends, and how much it has sent on this connection before. */
  let alter: (bytes: Buffer, before: number) => void;

  before(async () => {
    peer = await startPeer();
  });
  after(() => peer.stop());

  beforeEach(async () => {
    alter = () => {};
    // It never closes a connection by itself, so that whoever waits for that waits for ever.
    meddler = createServer((client) => {
      const broker = connectTcp({ host: '127.0.0.1', port: peer.ports.mqtts });
      let before = 0;
      client.on('data', (bytes) => broker.write(bytes));
      broker.on('data', (bytes) => {
        alter(bytes, before);
        before += bytes.length;
        client.write(bytes);
      });
      client.on('error', () => {}).on('close', () => broker.destroy());
      broker.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(meddler, 'listening');
  });
  afterEach(() => {
    meddler.close();
  });

  const options = (): ConnectOptions => {
    const { port } = meddler.address() as AddressInfo;
    return { username: 'alice', password: 'secret', ca: peer.ca.cert, port, reconnect: { minimum: 20, maximum: 100 } };
  };

  // Which bytes of a TLS record: its type, its version, and of what is encrypted the first and the last.
  for (const [place, index] of Object.entries({ type: 0, version: 1, first: 5, last: -1 })) {
    test(`is found out while we connect, by the ${place} byte behind the handshake`, async () => {
      alter = (bytes, before) => {
        if (before > 0) flip(bytes, index);
      };
      await assert.rejects(connect({ ...options(), reconnect: false }), { code: 'tls' });
    });

    test(`is found out later, by the ${place} byte, and the connection is made anew`, async () => {
      const client = await connect(options());
      await client.publish('open/x', 'unaltered', { qos: 1 });
      const lost = once(client, 'disconnected') as Promise<[ClientError]>;
      const again = once(client, 'connected');
      alter = (bytes) => {
        flip(bytes, index);
        alter = () => {};
      };
      const published = client.publish('open/x', 'its acknowledgement is altered', { qos: 1 });
      const [error] = await lost;
      assert.equal(error.code, 'tls', error.message);
      await again;
      await published;
      await client.close();
    });
  }
});

function flip(bytes: Buffer, index: number): void {
  const place = (bytes.length + index) % bytes.length;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
}
