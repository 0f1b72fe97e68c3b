import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { ping, portOf, readPacket, startBroker } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { RawWebSocket } from '../support/web-socket.js';

let ca = '';
const { broker, stop } = await startBroker(
  {
    listeners: [
      { protocol: 'mqtt', port: 0 },
      { protocol: 'mqtts', bind: '127.0.0.1', port: 0 },
      { protocol: 'ws', port: 0 },
      { protocol: 'wss', bind: '127.0.0.1', port: 0 },
    ],
    limits: { handshake_timeout: 1, connect_timeout: 1 },
  },
  {
    prepare: async (directory) => {
      ca = (await TestAuthority.create(directory)).ca;
    },
  },
);
after(stop);
const ports = {
  mqtt: portOf(broker, 'mqtt'),
  mqtts: portOf(broker, 'mqtts'),
  ws: portOf(broker, 'ws'),
  wss: portOf(broker, 'wss'),
};
const tls: ConnectionOptions = { ca };
const http = Buffer.from('GET /mqtt HTTP/1.1\r\nHost: x\r\n');

/** What does not come to its end, and on which socket. */
const unfinished: Readonly<Record<string, () => Promise<RawClient>>> = {
  'a client that says nothing': () => RawClient.connect(ports.mqtt),
  'a CONNECT that lacks its last byte': async () => {
    const client = await RawClient.connect(ports.mqtt);
    client.send(connectPacket(5).slice(0, -2));
    return client;
  },
  'a CONNECT that is announced to be huge': async () => {
    const client = await RawClient.connect(ports.mqtt);
    client.send('10 80 80 3f 0004');
    return client;
  },
  'a TLS handshake that is not begun': () => RawClient.connect(ports.mqtts),
  'a TLS handshake that stops within the first message': async () => {
    const client = await RawClient.connect(ports.mqtts);
    client.send('16 0301 0200 0100 01fc 0303');
    return client;
  },
  'silence after the TLS handshake': () => RawClient.connect(ports.mqtts, { tls }),
  'an upgrade request that is not begun': () => RawClient.connect(ports.ws),
  'an upgrade request without its end': async () => {
    const client = await RawClient.connect(ports.ws);
    client.send(http);
    return client;
  },
  'an upgrade request without its end, over TLS': async () => {
    const client = await RawClient.connect(ports.wss, { tls });
    client.send(http);
    return client;
  },
};

describe('The deadlines of a connection', { concurrency: true }, () => {
  for (const [title, begin] of Object.entries(unfinished)) {
    it(`end ${title}, without a byte`, async () => {
      await (await begin()).closed();
    });
  }

  it('end a WebSocket on which no CONNECT comes', async () => {
    for (const secure of [false, true]) {
      const client = await RawWebSocket.connect(secure ? ports.wss : ports.ws, { secure, ca });
      assert.ok((await client.closed) >= 1000);
    }
  });

  it('leave those alone that came in time', async () => {
    const plain = await RawClient.connect(ports.mqtt);
    const secure = await RawClient.connect(ports.mqtts, { tls });
    for (const client of [plain, secure]) {
      client.send(connectPacket(5));
      await readPacket(client);
    }
    const webs = [await RawWebSocket.connect(ports.ws), await RawWebSocket.connect(ports.wss, { secure: true, ca })];
    for (const client of webs) {
      client.send(connectPacket(4));
      assert.equal(await client.read(4), '20020000');
    }
    // Those that began later, and were closed for it, show that every deadline of these has passed.
    await Promise.all(Object.values(unfinished).map(async (begin) => (await begin()).closed()));
    for (const client of [plain, secure]) {
      await ping(client);
      client.end();
    }
    for (const client of webs) {
      client.send('c000');
      assert.equal(await client.read(2), 'd000');
      client.end();
    }
  });
});
