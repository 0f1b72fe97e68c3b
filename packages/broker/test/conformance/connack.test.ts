import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker, type TestBroker } from '../support/broker.js';
import {
  type ConnectFields,
  connectPacket,
  hex,
  publish,
  subscribe,
  text,
  type Version,
  will,
} from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const plain = await startBroker();
after(plain.stop);

/** The whole CONNACK, in hexadecimal. */
async function connack({ port }: TestBroker, version: Version, fields: ConnectFields = {}): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(version, fields));
  const answer = await readPacket(client);
  client.end();
  return answer;
}

/** CONNECT gets exactly this answer and the end. */
async function refused({ port }: TestBroker, version: Version, fields: ConnectFields, answer: string): Promise<void> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(version, fields));
  if (answer !== '') await client.expect(answer);
  await client.closed();
}

describe('An accepted CONNECT', () => {
  it('is answered with CONNACK 0 in the form of its version [MQTT-3.1.4-5] [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT3-3.1.4-4] [MQTT3-3.2.2-3]', async () => {
    assert.equal(await connack(plain, 3), '20020000');
    assert.equal(await connack(plain, 4), '20020000');
    assert.equal(await connack(plain, 5), '200e00000b22002027001000002103e8');
  });

  it('is answered before anything that follows it, in one write [MQTT-3.2.0-1] [MQTT3-3.2.0-1]', async () => {
    for (const version of [4, 5] as const) {
      const client = await RawClient.connect(plain.port);
      const request = subscribe(version, 1, { 'one/write': 0 });
      client.send(`${connectPacket(version)} ${request} ${publish(version, 'one/write', 'x')} c000`);
      const types = [];
      for (let count = 0; count < 4; count++) types.push((await readPacket(client)).slice(0, 2));
      assert.deepEqual(types, ['20', '90', '30', 'd0']);
      client.end();
    }
  });

  it('is answered before what its session has waiting [MQTT-3.2.0-1] [MQTT3-3.2.0-1]', async () => {
    const fields = { clientId: 'waiting', cleanStart: false };
    const away = await connected(plain.port, 4, fields);
    away.send(subscribe(4, 1, { waiting: 1 }));
    await away.expect('90 03 0001 01');
    away.send('e000');
    await away.closed();
    const publisher = await connected(plain.port, 4);
    for (let id = 1; id <= 20; id++) {
      publisher.send(publish(4, 'waiting', `${id}`, { qos: 1, packetId: id }));
      await publisher.expect(`40 02 ${hex(id, 2)}`);
    }
    publisher.end();
    const back = await RawClient.connect(plain.port);
    back.send(connectPacket(4, fields));
    await back.expect('20 02 01 00');
    for (let id = 1; id <= 20; id++) await back.expect(publish(4, 'waiting', `${id}`, { qos: 1, packetId: id }));
    back.end();
  });

  it('has its properties in the order in which Mosquitto has them', async () => {
    const broker = await startBroker({
      limits: { max_topic_alias: 10, max_packet_size: 2_000_000, receive_maximum: 20, max_keepalive: 60 },
    });
    after(broker.stop);
    assert.equal(await connack(broker, 5), '200e00000b22000a27001e8480210014');
    assert.equal(await connack(broker, 5, { keepAlive: 120 }), '201100000e22000a13003c27001e8480210014');
  });

  it('is told when its session is to end sooner than it wants', async () => {
    const broker = await startBroker({ limits: { max_session_expiry: 60 } });
    after(broker.stop);
    assert.match(await connack(broker, 5, { properties: '11 ffffffff' }), /^20130000..220020110000003c27/);
    assert.doesNotMatch(await connack(broker, 5, { properties: '11 0000003c' }), /11/);
  });
});

describe('A server without limits', () => {
  it('announces none, and QoS 2 and retaining work [MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.2.2-11] [MQTT-3.2.2-12] [MQTT-3.2.2-13] [MQTT-3.2.2-14]', async () => {
    const broker = await startBroker({ limits: { profile: 'off' } });
    after(broker.stop);
    assert.equal(await connack(broker, 5, { will: will(5, 'w', 'm', { qos: 2, retain: true }) }), '200600000322ffff');
    const client = await connected(broker.port, 5);
    client.send(subscribe(5, 1, { a: 0, b: 1, c: 2 }));
    await client.expect('90 06 0001 00 00 01 02');
    client.send(publish(5, 'c', 'x', { qos: 2, packetId: 1, retain: true }));
    await client.expect('50 02 0001');
    client.end();
  });
});

describe('A server with a maximum QoS', async () => {
  const broker = await startBroker({ limits: { max_qos: 1 } });
  after(broker.stop);

  it('announces it [MQTT-3.2.2-9]', async () => {
    assert.match(await connack(broker, 5), /2103e82401$/);
  });

  it('grants subscriptions of any QoS [MQTT-3.2.2-10]', async () => {
    const client = await connected(broker.port, 5);
    client.send(subscribe(5, 1, { a: 0, b: 1, c: 2 }));
    await client.expect('90 06 0001 00 00 01 02');
    client.end();
  });

  it('ends a connection that publishes above it [MQTT-3.2.2-11]', async () => {
    const client = await connected(broker.port, 5);
    client.send(publish(5, 'a', 'x', { qos: 1 }));
    assert.match(await readPacket(client), /^40/);
    client.send(publish(5, 'a', 'x', { qos: 2 }));
    await client.expect('e0 01 9b');
    await client.closed();
    const older = await connected(broker.port, 4);
    older.send(publish(4, 'a', 'x', { qos: 2 }));
    await older.closed();
  });

  it('refuses a will above it [MQTT-3.2.2-12]', async () => {
    await refused(broker, 5, { will: will(5, 'w', 'm', { qos: 2 }) }, '20 03 00 9b 00');
    await refused(broker, 4, { will: will(4, 'w', 'm', { qos: 2 }) }, '20 02 00 05');
    assert.match(await connack(broker, 5, { will: will(5, 'w', 'm', { qos: 1 }) }), /^20..0000/);
  });
});

describe('A server that retains nothing', async () => {
  const broker = await startBroker({ retain_available: false });
  after(broker.stop);

  it('announces it [MQTT-3.2.2-14]', async () => {
    assert.equal(await connack(broker, 5), '201000000d220020250027001000002103e8');
  });

  it('ends a connection that wants a message retained [MQTT-3.2.2-14]', async () => {
    const client = await connected(broker.port, 5);
    client.send(publish(5, 'a', 'x', { retain: true }));
    await client.expect('e0 01 9a');
    await client.closed();
  });

  it('refuses a will to be retained [MQTT-3.2.2-13]', async () => {
    await refused(broker, 5, { will: will(5, 'w', 'm', { retain: true }) }, '20 03 00 9a 00');
  });
});

describe('Topic aliases of the client', () => {
  it('are taken up to the maximum, and end the connection beyond it [MQTT-3.2.2-17]', async () => {
    const client = await connected(plain.port, 5);
    client.send(publish(5, 'alias', 'x', { properties: '23 0020' }));
    await ping(client);
    client.send(publish(5, 'alias', 'x', { properties: '23 0021' }));
    await client.expect('e0 01 94');
    await client.closed();
  });

  it('end the connection where CONNACK had no maximum [MQTT-3.2.2-18]', async () => {
    const broker = await startBroker({ limits: { max_topic_alias: 0 } });
    after(broker.stop);
    assert.equal(await connack(broker, 5), '200b00000827001000002103e8');
    const client = await connected(broker.port, 5);
    client.send(publish(5, 'alias', 'x', { properties: '23 0001' }));
    await client.expect('e0 01 94');
    await client.closed();
  });
});

describe('A CONNACK never bursts the Maximum Packet Size of the client', async () => {
  const broker = await startBroker({ reason_strings: true, limits: { max_qos: 1 } });
  after(broker.stop);
  const refusedWill = will(5, 'w', 'm', { qos: 2 });
  const most = (bytes: number): ConnectFields => ({ properties: `27 ${hex(bytes, 4)}`, will: refusedWill });
  const reason = text('a will above the maximum QoS');

  it('with its reason while there is room [MQTT-3.2.2-19] [MQTT-3.2.2-20]', async () => {
    const whole = `20 22 00 9b 1f 1f ${reason}`;
    await refused(broker, 5, most(36), whole);
    await refused(broker, 5, most(35), '20 03 00 9b 00');
    await refused(broker, 5, most(5), '20 03 00 9b 00');
  });

  it('and without a byte where there is none [MQTT-3.2.2-19] [MQTT-3.2.2-7]', async () => {
    for (const bytes of [1, 2, 4]) await refused(broker, 5, most(bytes), '');
  });

  it('so that a client which leaves no room for an accepting one is refused [MQTT-3.1.2-24]', async () => {
    await refused(broker, 5, { properties: '27 00000011' }, '20 03 00 83 00');
    assert.match(await connack(broker, 5, { properties: '27 00000012' }), /^201000000d/);
  });
});
