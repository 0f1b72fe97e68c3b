import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, nameOf, puback, pubcomp, pubrec, pubrel, stored, subscriber, versions } from '../support/clients.js';
import { publish, type Version } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

let topics = 0;

interface Pair {
  readonly topic: string;
  readonly client: RawClient;
  readonly publisher: RawClient;
  /** The subscriber gets exactly these payloads, at QoS 0. */
  received(...payloads: readonly string[]): Promise<void>;
  end(): void;
}

async function pair(version: Version): Promise<Pair> {
  const topic = `incoming/${++topics}`;
  const [client, publisher] = [await subscriber(port, version, { [topic]: 0 }), await connected(port, version)];
  const received = async (...payloads: readonly string[]): Promise<void> => {
    for (const payload of payloads) assert.equal(await readPacket(client), publish(version, topic, payload));
    await ping(client);
  };
  const end = (): void => {
    client.end();
    publisher.end();
  };
  return { topic, client, publisher, received, end };
}

for (const version of versions) {
  describe(`QoS 1 from a client of ${nameOf(version)}`, () => {
    it('is answered with PUBACK of its identifier [MQTT-4.3.2-4] [MQTT-3.3.4-1]', async () => {
      const { topic, publisher, received, end } = await pair(version);
      publisher.send(publish(version, topic, 'x', { qos: 1, packetId: 0xfffe }));
      assert.equal(await readPacket(publisher), puback(0xfffe));
      await received('x');
      end();
    });

    it('is a new message when the identifier comes again, whatever DUP says [MQTT-4.3.2-5]', async () => {
      const { topic, publisher, received, end } = await pair(version);
      for (const dup of [false, true, false]) {
        publisher.send(publish(version, topic, 'a', { qos: 1, dup, packetId: 5 }));
        assert.equal(await readPacket(publisher), puback(5));
      }
      await received('a', 'a', 'a');
      end();
    });

    it('is acknowledged in the order in which it came [MQTT-4.6.0-2]', async () => {
      const { topic, publisher, end } = await pair(version);
      const ids = [17, 3, 65_535, 9, 1, 20, 8, 2, 1000, 11, 19, 4, 13, 7, 15, 10, 18, 5, 16, 12];
      publisher.send(ids.map((packetId) => publish(version, topic, 'x', { qos: 1, packetId })).join(''));
      for (const id of ids) assert.equal(await readPacket(publisher), puback(id));
      end();
    });

    it('is acknowledged in order too where some messages have to be stored and others not [MQTT-4.6.0-2]', async () => {
      const { topic, publisher, end } = await pair(version);
      await leave(await subscriber(port, version, { [`${topic}/stored`]: 1 }, stored(version, topic)));
      const ids = [1, 2, 3, 4, 5, 6];
      const topicOf = (id: number): string => (id % 2 === 0 ? `${topic}/stored` : topic);
      publisher.send(ids.map((packetId) => publish(version, topicOf(packetId), 'x', { qos: 1, packetId })).join(''));
      for (const id of ids) assert.equal(await readPacket(publisher), puback(id));
      end();
    });
  });

  describe(`QoS 2 from a client of ${nameOf(version)}`, () => {
    it('is answered with PUBREC, delivered at PUBREL and not before, and ended by PUBCOMP [MQTT-4.3.3-8] [MQTT-4.3.3-11]', async () => {
      const { topic, publisher, received, end } = await pair(version);
      publisher.send(publish(version, topic, 'x', { qos: 2, packetId: 0x0a0b }));
      assert.equal(await readPacket(publisher), pubrec(0x0a0b));
      await received();
      publisher.send(pubrel(0x0a0b));
      assert.equal(await readPacket(publisher), pubcomp(0x0a0b));
      await received('x');
      end();
    });

    it('is delivered once however often it comes before PUBREL: PUBREC each time [MQTT-4.3.3-10]', async () => {
      const { topic, publisher, received, end } = await pair(version);
      for (const dup of [false, true, false]) {
        publisher.send(publish(version, topic, 'x', { qos: 2, dup, packetId: 3 }));
        assert.equal(await readPacket(publisher), pubrec(3));
      }
      publisher.send(pubrel(3));
      assert.equal(await readPacket(publisher), pubcomp(3));
      await received('x');
      end();
    });

    it('keeps the first message of an identifier that is in use [MQTT-4.3.3-10] [MQTT-2.2.1-3]', async () => {
      const { topic, publisher, received, end } = await pair(version);
      for (const payload of ['first', 'second']) {
        publisher.send(publish(version, topic, payload, { qos: 2, packetId: 3 }));
        assert.equal(await readPacket(publisher), pubrec(3));
      }
      publisher.send(pubrel(3));
      assert.equal(await readPacket(publisher), pubcomp(3));
      await received('first');
      end();
    });

    it('is a new message when the identifier comes after PUBCOMP, whatever DUP says [MQTT-4.3.3-12]', async () => {
      const { topic, publisher, received, end } = await pair(version);
      for (const [payload, dup] of [
        ['a', false],
        ['a', true],
        ['b', false],
      ] as const) {
        publisher.send(publish(version, topic, payload, { qos: 2, dup, packetId: 3 }) + pubrel(3));
        assert.equal(await readPacket(publisher), pubrec(3));
        assert.equal(await readPacket(publisher), pubcomp(3));
      }
      await received('a', 'a', 'b');
      end();
    });

    it('is delivered once when the client repeats its PUBREL [MQTT-4.3.3-11]', async () => {
      const { topic, publisher, received, end } = await pair(version);
      publisher.send(publish(version, topic, 'x', { qos: 2, packetId: 3 }) + pubrel(3) + pubrel(3));
      assert.equal(await readPacket(publisher), pubrec(3));
      assert.equal(await readPacket(publisher), pubcomp(3));
      await publisher.expect(version === 5 ? '70 03 0003 92' : '70 02 0003');
      await received('x');
      end();
    });

    it('is acknowledged in the order in which it came [MQTT-4.6.0-3]', async () => {
      const { topic, publisher, end } = await pair(version);
      const ids = [17, 3, 65_535, 9, 1, 20, 8, 2, 1000, 11, 19, 4, 13, 7, 15, 10, 18, 5, 16, 12];
      publisher.send(ids.map((packetId) => publish(version, topic, 'x', { qos: 2, packetId })).join(''));
      for (const id of ids) assert.equal(await readPacket(publisher), pubrec(id));
      end();
    });

    it('is delivered once over a reconnect before PUBREC arrived [MQTT-4.3.3-10] [MQTT-4.4.0-1]', async () => {
      const { topic, publisher, received, end } = await pair(version);
      const first = await connected(port, version, stored(version, topic));
      first.send(publish(version, topic, 'x', { qos: 2, packetId: 3 }));
      assert.equal(await readPacket(first), pubrec(3));
      first.end();
      const second = await connected(port, version, stored(version, topic));
      second.send(publish(version, topic, 'x', { qos: 2, dup: true, packetId: 3 }) + pubrel(3));
      assert.equal(await readPacket(second), pubrec(3));
      assert.equal(await readPacket(second), pubcomp(3));
      await received('x');
      for (const each of [publisher, second]) each.end();
      end();
    });

    it('is delivered once over a reconnect before PUBCOMP arrived [MQTT-4.3.3-11] [MQTT-4.4.0-1]', async () => {
      const { topic, received, end } = await pair(version);
      const first = await connected(port, version, stored(version, topic));
      first.send(publish(version, topic, 'x', { qos: 2, packetId: 3 }) + pubrel(3));
      assert.equal(await readPacket(first), pubrec(3));
      assert.equal(await readPacket(first), pubcomp(3));
      first.end();
      const second = await connected(port, version, stored(version, topic));
      second.send(pubrel(3));
      await second.expect(version === 5 ? '70 03 0003 92' : '70 02 0003');
      await received('x');
      second.end();
      end();
    });

    it('that was not released goes with a session that is not kept', async () => {
      const { topic, received, end } = await pair(version);
      const first = await connected(port, version, { clientId: topic });
      first.send(publish(version, topic, 'lost', { qos: 2, packetId: 3 }));
      assert.equal(await readPacket(first), pubrec(3));
      await leave(first);
      const second = await connected(port, version, { clientId: topic });
      second.send(publish(version, topic, 'x', { qos: 2, packetId: 3 }) + pubrel(3));
      assert.equal(await readPacket(second), pubrec(3));
      assert.equal(await readPacket(second), pubcomp(3));
      await received('x');
      second.end();
      end();
    });

    it('without subscriber is no hindrance to later ones of its identifier', async () => {
      const { topic, publisher, received, end } = await pair(version);
      for (const name of [`${topic}/nobody`, topic, `${topic}/nobody`, topic]) {
        publisher.send(publish(version, name, name, { qos: 2, packetId: 1 }) + pubrel(1));
        assert.equal(await readPacket(publisher), pubrec(1));
        assert.equal(await readPacket(publisher), pubcomp(1));
      }
      await received(topic, topic);
      end();
    });
  });
}

describe('PUBREL of MQTT 5.0', () => {
  for (const bytes of ['62 02 0003', '62 03 0003 00', '62 04 0003 00 00', '62 07 0003 00 03 1f 0000', '62 03 0003 92'])
    it(`${bytes} is answered with PUBCOMP [MQTT-4.3.3-11]`, async () => {
      const { topic, publisher, received, end } = await pair(5);
      publisher.send(publish(5, topic, 'x', { qos: 2, packetId: 3 }) + bytes);
      assert.equal(await readPacket(publisher), pubrec(3));
      assert.equal(await readPacket(publisher), pubcomp(3));
      await received('x');
      end();
    });
});

describe('QoS 2 messages of more bytes than a session may hold', () => {
  it('are delivered at once, in order, and once', async () => {
    const small = await startBroker({ limits: { max_queued_bytes: 40 } });
    try {
      const [client, publisher] = [await subscriber(small.port, 4, { t: 0 }), await connected(small.port, 4)];
      const payloads = ['a'.repeat(15), 'b'.repeat(15), 'c'.repeat(15), 'd'];
      for (const [index, payload] of payloads.entries())
        publisher.send(publish(4, 't', payload, { qos: 2, packetId: index + 1 }));
      for (const id of [1, 2, 3, 4]) assert.equal(await readPacket(publisher), pubrec(id));
      for (const payload of payloads.slice(0, 3)) assert.equal(await readPacket(client), publish(4, 't', payload));
      await ping(client);
      for (const id of [1, 2, 3, 4]) publisher.send(pubrel(id));
      for (const id of [1, 2, 3, 4]) assert.equal(await readPacket(publisher), pubcomp(id));
      assert.equal(await readPacket(client), publish(4, 't', 'd'));
      await ping(client);
      client.end();
      publisher.end();
    } finally {
      await small.stop();
    }
  });
});
