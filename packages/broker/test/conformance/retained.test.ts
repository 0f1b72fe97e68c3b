import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, nameOf, puback, stored, subscriber, versions } from '../support/clients.js';
import { publish, subscribe, unsubscribe, type Version } from '../support/packets.js';

const { broker, port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `retained/${++topics}`;

/** Publishes retained messages one after the other; returns when the broker has them. */
async function retain(version: Version, topic: string, ...payloads: readonly string[]): Promise<void> {
  const publisher = await connected(port, version);
  for (const payload of payloads) publisher.send(publish(version, topic, payload, { retain: true }));
  await ping(publisher);
  publisher.end();
}

/** A new subscriber is sent exactly these packets. */
async function found(version: Version, topic: string, ...packets: readonly string[]): Promise<void> {
  const client = await subscriber(port, version, { [topic]: 2 });
  for (const packet of packets) assert.equal(await readPacket(client), packet);
  await ping(client);
  client.end();
}

for (const version of versions) {
  const retained = (topic: string, payload: string): string => publish(version, topic, payload, { retain: true });

  describe(`A retained message of ${nameOf(version)}`, () => {
    it('replaces the one that its topic had [MQTT-3.3.1-5]', async () => {
      const topic = freshTopic();
      await retain(version, topic, 'first', 'second');
      await found(version, topic, retained(topic, 'second'));
    });

    it('of QoS 0 replaces one of QoS 1, and is kept [MQTT-3.3.1-5] [MQTT3-3.3.1-7]', async () => {
      const topic = freshTopic();
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'first', { qos: 1, retain: true }));
      await readPacket(publisher);
      await found(version, topic, publish(version, topic, 'first', { qos: 1, retain: true, packetId: 1 }));
      publisher.send(publish(version, topic, 'second', { retain: true }));
      await ping(publisher);
      await found(version, topic, retained(topic, 'second'));
      publisher.end();
    });

    it('comes at the lower of its QoS and the granted one, with RETAIN 1 [MQTT3-3.3.1-8] [MQTT-3.3.1-8]', async () => {
      const topic = freshTopic();
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'x', { qos: 2, retain: true, packetId: 7 }));
      await publisher.expect('50 02 0007');
      publisher.send('62 02 0007');
      await publisher.expect('70 02 0007');
      for (const qos of [0, 1, 2] as const) {
        const client = await subscriber(port, version, { [topic]: qos });
        assert.equal(await readPacket(client), publish(version, topic, 'x', { qos, retain: true, packetId: 1 }));
        client.end();
      }
      publisher.end();
    });

    it('with an empty payload is delivered, and removes the one that its topic had [MQTT-3.3.1-6]', async () => {
      const topic = freshTopic();
      await retain(version, topic, 'x');
      const client = await subscriber(port, version, { [topic]: 0 });
      assert.equal(await readPacket(client), retained(topic, 'x'));
      await retain(version, topic, '');
      assert.equal(await readPacket(client), publish(version, topic, ''));
      await found(version, topic);
      client.end();
    });

    it('with an empty payload is never kept [MQTT-3.3.1-7]', async () => {
      const topic = freshTopic();
      const { messages } = broker.status().retained;
      await retain(version, topic, '');
      assert.equal(broker.status().retained.messages, messages);
      await found(version, topic);
    });

    it('is left alone by messages with RETAIN 0, empty ones too [MQTT-3.3.1-8]', async () => {
      const topic = freshTopic();
      await retain(version, topic, 'kept');
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'plain') + publish(version, topic, ''));
      await ping(publisher);
      await found(version, topic, retained(topic, 'kept'));
      publisher.end();
    });

    it('comes to a subscription that is there with RETAIN 0 [MQTT-3.3.1-12] [MQTT3-3.3.1-9]', async () => {
      const topic = freshTopic();
      const client = await subscriber(port, version, { [topic]: 2 });
      await retain(version, topic, 'live');
      assert.equal(await readPacket(client), publish(version, topic, 'live'));
      client.end();
    });

    it('of every topic that matches comes to a new subscription [MQTT3-3.3.1-6] [MQTT-3.3.1-9]', async () => {
      const topic = freshTopic();
      const expected = new Set<string>();
      for (const level of ['a', 'b', 'c']) {
        await retain(version, `${topic}/${level}/x`, level);
        expected.add(retained(`${topic}/${level}/x`, level));
      }
      await retain(version, `${topic}/d`, 'd');
      for (const filter of [`${topic}/+/x`, `${topic}/#`]) {
        if (filter.endsWith('#')) expected.add(retained(`${topic}/d`, 'd'));
        const client = await subscriber(port, version, { [filter]: 0 });
        const received = new Set<string>();
        for (const _ of expected) received.add(await readPacket(client));
        assert.deepEqual(received, expected);
        await ping(client);
        client.end();
      }
    });

    it('outlives the session of its publisher [MQTT3-3.1.2-7]', async () => {
      const topic = freshTopic();
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'x', { retain: true }));
      await leave(publisher);
      await found(version, topic, retained(topic, 'x'));
    });

    it('comes to an offline session as a live message does: with RETAIN 0 [MQTT-3.3.1-12]', async () => {
      const topic = freshTopic();
      const clientId = `away-${version}`;
      await leave(await subscriber(port, version, { [topic]: 1 }, stored(version, clientId)));
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'x', { qos: 1, retain: true, packetId: 5 }));
      assert.equal(await readPacket(publisher), puback(5));
      const client = await connected(port, version, stored(version, clientId));
      assert.equal(await readPacket(client), publish(version, topic, 'x', { qos: 1, packetId: 1 }));
      publisher.end();
      client.end();
    });
  });
}

describe('The retain options of a subscription', () => {
  const handling = (value: 0 | 1 | 2): number => value << 4;
  const retained = (topic: string): string => publish(5, topic, 'x', { retain: true });

  it('handling 0 sends retained messages at every SUBSCRIBE [MQTT-3.3.1-9]', async () => {
    const topic = freshTopic();
    await retain(5, topic, 'x');
    const client = await subscriber(port, 5, { [topic]: handling(0) });
    assert.equal(await readPacket(client), retained(topic));
    client.send(subscribe(5, 2, { [topic]: handling(0) }));
    await client.expect('90 04 0002 00 00');
    assert.equal(await readPacket(client), retained(topic));
    await ping(client);
    client.end();
  });

  it('handling 1 sends them to a subscription that is new, and again once it was removed [MQTT-3.3.1-10]', async () => {
    const topic = freshTopic();
    await retain(5, topic, 'x');
    const client = await subscriber(port, 5, { [topic]: handling(1) });
    assert.equal(await readPacket(client), retained(topic));
    client.send(subscribe(5, 2, { [topic]: handling(1) | 1 }));
    await client.expect('90 04 0002 00 01');
    await ping(client);
    client.send(unsubscribe(5, 3, topic));
    await client.expect('b0 04 0003 00 00');
    client.send(subscribe(5, 4, { [topic]: handling(1) }));
    await client.expect('90 04 0004 00 00');
    assert.equal(await readPacket(client), retained(topic));
    client.end();
  });

  it('handling 1 knows a subscription of the session that was resumed [MQTT-3.3.1-10]', async () => {
    const topic = freshTopic();
    await leave(await subscriber(port, 5, { [topic]: handling(1) }, stored(5, 'resumed')));
    await retain(5, topic, 'x');
    const client = await connected(port, 5, stored(5, 'resumed'));
    client.send(subscribe(5, 2, { [topic]: handling(1) }));
    await client.expect('90 04 0002 00 00');
    await ping(client);
    client.end();
  });

  it('handling 2 sends none, only what is published from then on [MQTT-3.3.1-11]', async () => {
    const topic = freshTopic();
    await retain(5, topic, 'x');
    const client = await subscriber(port, 5, { [topic]: handling(2) });
    await ping(client);
    await retain(5, topic, 'live');
    assert.equal(await readPacket(client), publish(5, topic, 'live'));
    client.end();
  });

  it('Retain As Published passes the flag on as it came [MQTT-3.3.1-13]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 0x08 });
    for (const retain of [true, false]) {
      client.send(publish(5, topic, 'x', { retain }));
      assert.equal(await readPacket(client), publish(5, topic, 'x', { retain }));
    }
    client.end();
  });

  it('Retain As Published of one overlapping subscription is enough for the one copy [MQTT-3.3.1-13]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 0x00, [`${topic}/#`]: 0x08 });
    client.send(publish(5, topic, 'x', { retain: true }));
    assert.equal(await readPacket(client), publish(5, topic, 'x', { retain: true }));
    await ping(client);
    client.end();
  });
});

describe('When as many messages are retained as the limit allows', () => {
  it('another is refused with 0x97, a replacement is not, and nobody gets the refused one', async () => {
    const small = await startBroker({ limits: { max_retained_messages: 1 } });
    try {
      const client = await subscriber(small.port, 5, { '#': 0 });
      client.send(publish(5, 'a', 'x', { qos: 1, retain: true, packetId: 1 }));
      assert.equal(await readPacket(client), publish(5, 'a', 'x'));
      assert.equal(await readPacket(client), puback(1));
      client.send(publish(5, 'b', 'x', { qos: 1, retain: true, packetId: 2 }));
      await client.expect('40 03 0002 97');
      client.send(publish(5, 'a', 'y', { qos: 1, retain: true, packetId: 3 }));
      assert.equal(await readPacket(client), publish(5, 'a', 'y'));
      assert.equal(await readPacket(client), puback(3));
      client.end();
    } finally {
      await small.stop();
    }
  });
});
