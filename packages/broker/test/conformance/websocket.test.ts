import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { connected, ping, portOf, readPacket, startBroker } from '../support/broker.js';
import { connectPacket, publish, subscribe, text, type Version } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { RawWebSocket } from '../support/web-socket.js';

const { broker, stop } = await startBroker({
  listeners: [
    { protocol: 'ws', port: 0 },
    { protocol: 'mqtt', port: 0 },
    { protocol: 'ws', bind: '127.0.0.2', port: 0, path: '/else', allowed_origins: ['https://good.example'] },
  ],
  limits: { max_packet_size: 1_000, handshake_timeout: 1 },
});
after(stop);
const port = portOf(broker);
const mqttPort = portOf(broker, 'mqtt');
const otherPort = broker.listeners.find(({ address }) => address === '127.0.0.2')?.port ?? 0;

/** A client that is connected, with its CONNACK read. */
async function joined(version: Version): Promise<RawWebSocket> {
  const client = await RawWebSocket.connect(port);
  client.send(connectPacket(version));
  await readConnack(client);
  return client;
}

async function readConnack(client: RawWebSocket): Promise<void> {
  const head = await client.read(4);
  assert.match(head, /^20..0000/);
  await client.read(Number.parseInt(head.slice(2, 4), 16) - 2);
}

for (const version of [4, 5] as const) {
  describe(`MQTT ${version === 5 ? '5.0' : '3.1.1'} over WebSocket`, () => {
    it('comes in binary frames of one byte each [MQTT-6.0.0-2]', async () => {
      const client = await RawWebSocket.connect(port);
      for (const byte of Buffer.from(`${connectPacket(version)}c000`, 'hex'))
        client.send(byte.toString(16).padStart(2, '0'));
      await readConnack(client);
      assert.equal(await client.read(2), 'd000');
      client.end();
    });

    it('comes several packets in a frame, and across frames [MQTT-6.0.0-2]', async () => {
      const client = await RawWebSocket.connect(port);
      const bytes = `${connectPacket(version) + subscribe(version, 1, { 'ws/1': 0 }) + publish(version, 'ws/1', 'x')}c000`;
      client.send(bytes.slice(0, -10));
      client.send(bytes.slice(-10));
      await readConnack(client);
      const expected = `${version === 5 ? '900400010000' : '9003000100'}${publish(version, 'ws/1', 'x')}d000`;
      assert.equal(await client.read(expected.length / 2), expected);
      client.end();
    });

    it('comes in fragments of a message, with a ping between and an empty frame [MQTT-6.0.0-2] [MQTT-6.0.0-1]', async () => {
      const client = await joined(version);
      const pong = once(client.socket, 'pong');
      client.send('c0', false);
      client.socket.ping();
      client.send('', true);
      client.send('', true);
      client.send('00', true);
      assert.equal(await client.read(2), 'd000');
      await pong;
      client.end();
    });

    it('ends with status 1003 at a text frame, in place of CONNECT and after it [MQTT-6.0.0-1]', async () => {
      const early = await RawWebSocket.connect(port);
      early.socket.send(Buffer.from(connectPacket(version), 'hex'), { binary: false });
      assert.equal(await early.closed, 1003);
      const client = await joined(version);
      client.socket.send('text', { binary: false });
      assert.equal(await client.closed, 1003);
    });

    it('does nothing of what follows a text frame, and publishes the will [MQTT-6.0.0-1]', async () => {
      const watcher = await connected(mqttPort, version);
      watcher.send(subscribe(version, 1, { 'ws/watch/#': 0 }));
      await readPacket(watcher);
      const client = await RawWebSocket.connect(port);
      const will = `${version === 5 ? '00' : ''}${text('ws/watch/will')}${text('gone')}`;
      client.send(connectPacket(version, { will: { flags: 0x04, fields: will } }));
      await readConnack(client);
      client.socket.send('text', { binary: false });
      client.send(publish(version, 'ws/watch/late', 'x'));
      assert.equal(await readPacket(watcher), publish(version, 'ws/watch/will', 'gone'));
      await client.closed;
      await ping(watcher);
      watcher.end();
    });

    it('reaches clients over TCP, and is reached by them', async () => {
      const [web, tcp] = [await joined(version), await connected(mqttPort, version)];
      web.send(subscribe(version, 1, { 'ws/to-web': 1 }));
      await web.read(version === 5 ? 6 : 5);
      tcp.send(subscribe(version, 1, { 'ws/to-tcp': 1 }));
      await readPacket(tcp);
      tcp.send(publish(version, 'ws/to-web', 'hello', { qos: 1 }));
      const delivered = publish(version, 'ws/to-web', 'hello', { qos: 1 });
      assert.equal(await web.read(delivered.length / 2), delivered);
      await tcp.expect('40 02 0001');
      web.send(publish(version, 'ws/to-tcp', 'hello', { qos: 1 }));
      assert.equal(await readPacket(tcp), publish(version, 'ws/to-tcp', 'hello', { qos: 1 }));
      web.end();
      tcp.end();
    });
  });
}

describe('The upgrade to WebSocket', () => {
  it('selects the subprotocol mqtt, whatever else is offered [MQTT-6.0.0-3] [MQTT-6.0.0-4]', async () => {
    for (const protocols of [['mqtt'], ['foo', 'mqtt'], ['mqttv3.1', 'mqtt']]) {
      const client = await RawWebSocket.connect(port, { protocols });
      assert.equal(client.socket.protocol, 'mqtt');
      client.end();
    }
  });

  it('selects mqttv3.1 for clients of MQTT 3.1, which know no other', async () => {
    const client = await RawWebSocket.connect(port, { protocols: ['mqttv3.1'] });
    assert.equal(client.socket.protocol, 'mqttv3.1');
    client.send(connectPacket(3));
    await readConnack(client);
    client.end();
  });

  it('is refused with 400 to who does not offer it [MQTT-6.0.0-3]', async () => {
    for (const protocols of [[], ['foo'], ['MQTT'], ['mqtt5', 'xmqtt']])
      await assert.rejects(RawWebSocket.connect(port, { protocols }), /refused with 400/);
  });

  it('is refused with 404 on another path, and a query does not count', async () => {
    for (const path of ['/', '/mqtt/', '/else', '/mqttx'])
      await assert.rejects(RawWebSocket.connect(port, { path }), /refused with 404/);
    (await RawWebSocket.connect(port, { path: '/mqtt?token=x' })).end();
  });

  it('is refused with 403 to pages of other origins, where origins are listed', async () => {
    const upgrade = (origin?: string) =>
      RawWebSocket.connect(otherPort, {
        path: '/else',
        host: '127.0.0.2',
        ...(origin === undefined ? {} : { origin }),
      });
    await assert.rejects(upgrade('https://evil.example'), /refused with 403/);
    await assert.rejects(upgrade('null'), /refused with 403/);
    await assert.rejects(upgrade(), /refused with 403/);
    (await upgrade('https://good.example')).end();
  });

  it('is what every other request is asked for, with 426', async () => {
    const [response] = await once(request({ port, host: '127.0.0.1', path: '/mqtt' }).end(), 'response');
    assert.equal(response.statusCode, 426);
    assert.equal(await textOf(response), 'MQTT over WebSocket only\n');
  });

  it('that does not come in time, or trickles, is not waited for', async () => {
    const [silent, trickling] = [await RawClient.connect(port), await RawClient.connect(port)];
    trickling.send(Buffer.from('GET /mqtt HTTP/1.1\r\nHost: x\r\n'));
    const trickle = setInterval(() => trickling.send(Buffer.from('X-More: y\r\n')), 200);
    await silent.rest();
    await trickling.rest();
    clearInterval(trickle);
  });

  it('that is not HTTP costs that connection alone', async () => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(4));
    await client.rest();
    (await joined(4)).end();
  });
});

describe('A WebSocket', () => {
  it('is closed with status 1000 after a refusal, and the last packet arrives [MQTT-3.2.2-7]', async () => {
    const client = await RawWebSocket.connect(port);
    client.send('10 0d 0004 4d515454 06 02 003c 0001 61');
    assert.equal(await client.read(5), '2003008400');
    assert.equal(await client.closed, 1000);
  });
});

describe('A WebSocket message', () => {
  it('beyond the bound is refused with status 1009 before it is read', async () => {
    const client = await joined(5);
    client.socket.send(Buffer.alloc(100_000));
    assert.equal(await client.closed, 1009);
  });

  it('may hold as many packets as the bound allows, and none that is too large', async () => {
    const client = await joined(5);
    client.send('c000'.repeat(900));
    assert.equal(await client.read(1_800), 'd000'.repeat(900));
    client.send(publish(5, 'ws/large', 'x'.repeat(1_100)));
    assert.equal(await client.read(3), 'e00195');
    assert.equal(await client.closed, 1000);
  });
});
