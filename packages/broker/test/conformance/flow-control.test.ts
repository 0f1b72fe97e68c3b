import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, puback, pubcomp, pubrec, pubrel, stored, subscriber } from '../support/clients.js';
import { connectPacket, hex, publish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker({ limits: { receive_maximum: 20 } });
after(stop);

let topics = 0;
const freshTopic = (): string => `flow/${++topics}`;
const receiveMaximum = (value: number): { properties: string } => ({ properties: `21${hex(value, 2)}` });

describe('The receive maximum of a client', () => {
  it('of 0 is a protocol error [MQTT-4.9.0-1]', async () => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, receiveMaximum(0)));
    await client.expect('20 03 00 82 00');
    await client.closed();
  });

  for (const maximum of [1, 2])
    it(`of ${maximum} is what it gets of QoS 1 before it acknowledges [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]`, async () => {
      const topic = freshTopic();
      const client = await subscriber(port, 5, { [topic]: 1 }, receiveMaximum(maximum));
      const publisher = await connected(port, 5);
      for (let id = 1; id <= 5; id++) publisher.send(publish(5, topic, `${id}`, { qos: 1, packetId: id }));
      for (let id = 1; id <= 5; id++) assert.equal(await readPacket(publisher), puback(id));
      for (let id = 1; id <= maximum; id++)
        assert.equal(await readPacket(client), publish(5, topic, `${id}`, { qos: 1, packetId: id }));
      for (let id = maximum + 1; id <= 5; id++) {
        await ping(client);
        client.send(puback(id - maximum));
        assert.equal(await readPacket(client), publish(5, topic, `${id}`, { qos: 1, packetId: id }));
      }
      client.end();
      publisher.end();
    });

  it('of 65,535 is accepted [MQTT-4.9.0-1]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 1 }, receiveMaximum(65_535));
    client.send(publish(5, topic, 'x', { qos: 1, packetId: 9 }));
    assert.equal(await readPacket(client), publish(5, topic, 'x', { qos: 1 }));
    client.end();
  });

  it('counts a message of QoS 2 from PUBLISH to PUBCOMP, not to PUBREC [MQTT-3.3.4-9]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 2 }, receiveMaximum(1));
    const publisher = await connected(port, 5);
    for (let id = 1; id <= 3; id++) publisher.send(publish(5, topic, `${id}`, { qos: 2, packetId: id }) + pubrel(id));
    for (let id = 1; id <= 3; id++) {
      assert.equal(await readPacket(client), publish(5, topic, `${id}`, { qos: 2, packetId: id }));
      client.send(pubrec(id));
      assert.equal(await readPacket(client), pubrel(id));
      await ping(client);
      client.send(pubcomp(id));
    }
    await ping(client);
    client.end();
    publisher.end();
  });

  it('holds back nothing but PUBLISH of QoS 1 and 2 [MQTT-3.3.4-10] [MQTT-4.9.0-3]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 2 }, receiveMaximum(1));
    const publisher = await connected(port, 5);
    publisher.send(publish(5, topic, '1', { qos: 2, packetId: 1 }) + pubrel(1));
    assert.equal(await readPacket(client), publish(5, topic, '1', { qos: 2, packetId: 1 }));
    publisher.send(publish(5, topic, '2', { qos: 1, packetId: 2 }) + publish(5, topic, '3'));
    assert.equal(await readPacket(client), publish(5, topic, '3'));
    await ping(client);
    client.send(subscribe(5, 7, { [`${topic}/other`]: 1 }));
    await client.expect('90 04 0007 00 01');
    client.send(publish(5, 'flow/nobody', 'x', { qos: 1, packetId: 8 }));
    await client.expect('40 03 0008 10');
    client.send(publish(5, 'flow/nobody', 'x', { qos: 2, packetId: 9 }) + pubrel(9));
    await client.expect('50 02 0009 70 02 0009');
    client.send(pubrec(1));
    assert.equal(await readPacket(client), pubrel(1));
    client.send(pubcomp(1));
    assert.equal(await readPacket(client), publish(5, topic, '2', { qos: 1, packetId: 2 }));
    client.end();
    publisher.end();
  });

  it('counts what is sent again after a reconnect, and what awaits PUBCOMP; PUBREL waits for nothing [MQTT-4.9.0-2] [MQTT-3.3.4-10]', async () => {
    const topic = freshTopic();
    const fields = (maximum: number) => ({ ...stored(5, topic), properties: `110000003c21${hex(maximum, 2)}` });
    const client = await subscriber(port, 5, { [topic]: 2 }, fields(4));
    const publisher = await connected(port, 5);
    for (let id = 1; id <= 4; id++) publisher.send(publish(5, topic, `${id}`, { qos: 2, packetId: id }) + pubrel(id));
    for (let id = 1; id <= 4; id++)
      assert.equal(await readPacket(client), publish(5, topic, `${id}`, { qos: 2, packetId: id }));
    client.send(pubrec(4));
    assert.equal(await readPacket(client), pubrel(4));
    await leave(client);
    const resumed = await connected(port, 5, fields(2));
    assert.equal(await readPacket(resumed), publish(5, topic, '1', { qos: 2, dup: true, packetId: 1 }));
    assert.equal(await readPacket(resumed), publish(5, topic, '2', { qos: 2, dup: true, packetId: 2 }));
    assert.equal(await readPacket(resumed), pubrel(4));
    await ping(resumed);
    resumed.send(pubcomp(4));
    await ping(resumed);
    resumed.send(pubrec(1));
    assert.equal(await readPacket(resumed), pubrel(1));
    await ping(resumed);
    resumed.send(pubcomp(1));
    assert.equal(await readPacket(resumed), publish(5, topic, '3', { qos: 2, dup: true, packetId: 3 }));
    await ping(resumed);
    resumed.end();
    publisher.end();
  });

  it('is given back for a message that was too large for the client [MQTT-3.1.2-25]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 1 }, { properties: '2100012700000028' });
    const publisher = await connected(port, 5);
    publisher.send(publish(5, topic, 'x'.repeat(60), { qos: 1, packetId: 1 }));
    publisher.send(publish(5, topic, 'small', { qos: 1, packetId: 2 }));
    for (const id of [1, 2]) assert.equal(await readPacket(publisher), puback(id));
    assert.match(await readPacket(client), new RegExp(`${Buffer.from('small').toString('hex')}$`));
    client.end();
    publisher.end();
  });
});

describe('The receive maximum of the server', () => {
  it('is kept by n messages of QoS 2 without PUBREL; the next is answered with 0x93 [MQTT-3.3.4-7]', async () => {
    const client = await connected(port, 5);
    for (let id = 1; id <= 20; id++) client.send(publish(5, 'flow/x', 'x', { qos: 2, packetId: id }));
    for (let id = 1; id <= 20; id++) assert.equal(await readPacket(client), pubrec(id));
    client.send(publish(5, 'flow/x', 'x', { qos: 2, dup: true, packetId: 7 }));
    assert.equal(await readPacket(client), pubrec(7));
    client.send(publish(5, 'flow/x', 'x', { qos: 2, packetId: 21 }));
    await client.expect('e0 01 93');
    await client.closed();
  });

  it('is answered with 0x93 too when all was written before anything was read [MQTT-3.3.4-7]', async () => {
    const client = await connected(port, 5);
    let all = '';
    for (let id = 1; id <= 21; id++) all += publish(5, 'flow/x', 'x'.repeat(20_000), { qos: 2, packetId: id });
    client.send(all.repeat(2));
    for (let id = 1; id <= 20; id++) assert.equal(await readPacket(client), pubrec(id));
    await client.expect('e0 01 93');
    await client.closed();
  });

  it('is given back by PUBREL [MQTT-3.3.4-7]', async () => {
    const client = await connected(port, 5);
    for (let id = 1; id <= 60; id++) {
      client.send(publish(5, 'flow/x', 'x', { qos: 2, packetId: id }) + (id > 19 ? pubrel(id - 19) : ''));
      assert.equal(await readPacket(client), pubrec(id));
      if (id > 19) assert.equal(await readPacket(client), pubcomp(id - 19));
    }
    client.end();
  });

  it('counts no message twice in a session that is stored [MQTT-3.3.4-7]', async () => {
    const topic = freshTopic();
    await leave(await subscriber(port, 5, { [topic]: 1 }, stored(5, topic)));
    const client = await connected(port, 5, stored(5, `${topic}/publisher`));
    let all = '';
    for (let id = 1; id <= 10; id++) all += publish(5, topic, 'x', { qos: 2, packetId: id });
    for (let id = 11; id <= 20; id++) all += publish(5, topic, 'x', { qos: 1, packetId: id });
    client.send(all);
    for (let id = 1; id <= 20; id++) assert.equal(await readPacket(client), id <= 10 ? pubrec(id) : puback(id));
    await ping(client);
    client.end();
  });

  it('is nothing that a client of 3.1.1 knows of: it is slowed down, not cut off', async () => {
    const topic = freshTopic();
    await leave(await subscriber(port, 4, { [topic]: 1 }, stored(4, topic)));
    const client = await connected(port, 4);
    let all = '';
    for (let id = 1; id <= 1_000; id++) all += publish(4, topic, 'x', { qos: 1, packetId: id });
    for (let id = 1_001; id <= 1_100; id++) all += publish(4, topic, 'x', { qos: 2, packetId: id });
    client.send(all);
    for (let id = 1; id <= 1_100; id++) assert.equal(await readPacket(client), id <= 1_000 ? puback(id) : pubrec(id));
    await ping(client);
    client.end();
  });
});

describe('QoS 2 messages of 3.1.1 that are never released', async () => {
  const narrow = await startBroker({ limits: { receive_maximum: 2, max_queued_messages: 4 } });
  after(narrow.stop);

  it('are as many as may wait in a queue, and the next ends the connection', async () => {
    const client = await connected(narrow.port, 4);
    for (const packetId of [1, 2, 3, 4]) {
      client.send(publish(4, 'held', 'x', { qos: 2, packetId }));
      assert.equal(await readPacket(client), pubrec(packetId));
    }
    client.send(pubrel(1));
    assert.equal(await readPacket(client), pubcomp(1));
    client.send(publish(4, 'held', 'x', { qos: 2, packetId: 5 }));
    assert.equal(await readPacket(client), pubrec(5));
    client.send(publish(4, 'held', 'x', { qos: 2, packetId: 6 }));
    await client.closed();
    assert.equal(narrow.broker.status().limitHits.receive_maximum, 1);
  });
});
