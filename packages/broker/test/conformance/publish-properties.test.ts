import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, puback, pubcomp, pubrec, pubrel, stored, subscriber } from '../support/clients.js';
import { hex, publish, text, will } from '../support/packets.js';

const { port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `properties/${++topics}`;

const everyByte = Array.from({ length: 256 }, (_, byte) => hex(byte, 1)).join('');
const user = (name: string, value: string): string => `26${text(name)}${text(value)}`;

/** Property bytes that reach the subscriber as they left the publisher. */
const forwarded: Readonly<Record<string, string>> = {
  'a payload format indicator of 1 [MQTT-3.3.2-4]': '0101',
  'a payload format indicator of 0 [MQTT-3.3.2-4]': '0100',
  'a content type [MQTT-3.3.2-20]': `03${text('text/plain; charset=utf-8')}`,
  'an empty content type [MQTT-3.3.2-20]': '030000',
  'a response topic [MQTT-3.3.2-15]': `08${text('answers/é')}`,
  'correlation data of every byte [MQTT-3.3.2-16]': `090100${everyByte}`,
  'empty correlation data [MQTT-3.3.2-16]': '090000',
  'correlation data of 65,535 bytes [MQTT-3.3.2-16]': `09ffff${'ab'.repeat(65_535)}`,
  'user properties in their order [MQTT-3.3.2-17] [MQTT-3.3.2-18]': user('b', '1') + user('a', '2') + user('b', '3'),
  'user properties with the names of an object’s own [MQTT-3.3.2-17]':
    user('__proto__', 'x') + user('constructor', 'y') + user('toString', 'z') + user('', ''),
  'all of them [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-18] [MQTT-3.3.2-20]': `0101${user('b', '1')}${user('a', '2')}09000101${`08${text('r')}`}03${text('t')}`,
};

for (const [title, properties] of Object.entries(forwarded)) {
  describe(`${title[0]?.toUpperCase()}${title.slice(1)}`, () => {
    for (const qos of [0, 1, 2] as const) {
      it(`is forwarded at QoS ${qos}`, async () => {
        const topic = freshTopic();
        const [client, publisher] = [await subscriber(port, 5, { [topic]: qos }), await connected(port, 5)];
        publisher.send(publish(5, topic, 'x', { qos: 2, packetId: 3, properties }));
        assert.equal(await readPacket(publisher), pubrec(3));
        publisher.send(pubrel(3));
        assert.equal(await readPacket(publisher), pubcomp(3));
        assert.equal(await readPacket(client), publish(5, topic, 'x', { qos, packetId: 1, properties }));
        client.end();
        publisher.end();
      });
    }

    it('is forwarded as it came where nothing changes', async () => {
      const topic = freshTopic();
      const client = await subscriber(port, 5, { [topic]: 0 });
      client.send(publish(5, topic, 'x', { properties }));
      assert.equal(await readPacket(client), publish(5, topic, 'x', { properties }));
      client.end();
    });

    it('is kept with a retained message, and left out for 3.1.1', async () => {
      const topic = freshTopic();
      const publisher = await connected(port, 5);
      publisher.send(publish(5, topic, 'x', { retain: true, properties }));
      await ping(publisher);
      const client = await subscriber(port, 5, { [topic]: 0 });
      assert.equal(await readPacket(client), publish(5, topic, 'x', { retain: true, properties }));
      const older = await subscriber(port, 4, { [topic]: 0 });
      assert.equal(await readPacket(older), publish(4, topic, 'x', { retain: true }));
      for (const each of [publisher, client, older]) each.end();
    });

    it('is kept with a message that waits for an offline session', async () => {
      const topic = freshTopic();
      await leave(await subscriber(port, 5, { [topic]: 1 }, stored(5, topic)));
      const publisher = await connected(port, 5);
      publisher.send(publish(5, topic, 'x', { qos: 1, packetId: 9, properties }));
      assert.equal(await readPacket(publisher), puback(9));
      const client = await connected(port, 5, stored(5, topic));
      assert.equal(await readPacket(client), publish(5, topic, 'x', { qos: 1, packetId: 1, properties }));
      publisher.end();
      client.end();
    });

    it('is kept with a will', async () => {
      const topic = freshTopic();
      const client = await subscriber(port, 5, { [topic]: 0 });
      const dying = await connected(port, 5, { will: will(5, topic, 'x', { properties }) });
      dying.end();
      assert.equal(await readPacket(client), publish(5, topic, 'x', { properties }));
      client.end();
    });
  });
}

describe('A message without properties', () => {
  it('is forwarded without any, byte for byte [MQTT-2.2.2-1] [MQTT-3.3.2-4]', async () => {
    const client = await subscriber(port, 5, { p: 1 });
    client.send('30 0b 0001 70 00 6d657373616765');
    await client.expect('30 0b 0001 70 00 6d657373616765');
    client.end();
  });

  it('comes under its topic name, not under the filter [MQTT-3.3.2-3]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [`${topic}/+`]: 0 });
    client.send(publish(5, `${topic}/b`, 'x'));
    assert.equal(await readPacket(client), publish(5, `${topic}/b`, 'x'));
    client.end();
  });

  it('comes from 3.1.1 to 5.0 and back, at every QoS [MQTT-3.3.1-3]', async () => {
    const topic = freshTopic();
    for (const [from, to] of [
      [4, 5],
      [5, 4],
    ] as const) {
      const [client, publisher] = [await subscriber(port, to, { [topic]: 2 }), await connected(port, from)];
      publisher.send(publish(from, topic, '0') + publish(from, topic, '1', { qos: 1, dup: true, packetId: 7 }));
      assert.equal(await readPacket(publisher), puback(7));
      assert.equal(await readPacket(client), publish(to, topic, '0'));
      assert.equal(await readPacket(client), publish(to, topic, '1', { qos: 1, packetId: 1 }));
      client.end();
      publisher.end();
    }
  });
});

describe('Request and response', () => {
  it('pass response topic and correlation data to the responder, and the answer back [MQTT-3.3.2-15] [MQTT-3.3.2-16]', async () => {
    const noLocal = 0x04;
    const requester = await subscriber(port, 5, { 'rr/answers': 1 | noLocal });
    const responder = await subscriber(port, 5, { 'rr/requests': 1 | noLocal });
    const correlation = '090004deadbeef';
    const properties = `08${text('rr/answers')}${correlation}`;
    requester.send(publish(5, 'rr/requests', 'question', { qos: 1, packetId: 1, properties }));
    assert.equal(await readPacket(requester), puback(1));
    assert.equal(
      await readPacket(responder),
      publish(5, 'rr/requests', 'question', { qos: 1, packetId: 1, properties }),
    );
    responder.send(publish(5, 'rr/answers', 'answer', { qos: 1, packetId: 2, properties: correlation }));
    assert.equal(await readPacket(responder), puback(2));
    const answer = publish(5, 'rr/answers', 'answer', { qos: 1, packetId: 1, properties: correlation });
    assert.equal(await readPacket(requester), answer);
    requester.end();
    responder.end();
  });
});

describe('Half a PUBLISH and then the end of the connection', () => {
  it('delivers nothing', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 0 });
    const half = await connected(port, 5);
    half.send(publish(5, topic, 'never whole').slice(0, -8));
    half.socket.end();
    await half.closed();
    await ping(client);
    client.end();
  });
});
