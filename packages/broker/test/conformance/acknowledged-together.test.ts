import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { nameOf, puback, pubcomp, pubrec, pubrel, subscriber, versions } from '../support/clients.js';
import { publish, type Version } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

const { broker, port, stop } = await startBroker({ authorization: { default: 'allow' } });
after(stop);

const messages = 12;
let scenes = 0;

/** The packet identifiers of the messages that a client is sent, which have come in one read. */
async function idsOf(client: RawClient, qos: 1 | 2): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < messages) {
    const packet = await readPacket(client);
    assert.equal(Number.parseInt(packet.slice(0, 2), 16), 0x30 | (qos << 1));
    const topicLength = Number.parseInt(packet.slice(4, 8), 16);
    ids.push(Number.parseInt(packet.slice(8 + 2 * topicLength, 12 + 2 * topicLength), 16));
  }
  return ids;
}

/** In what order, and so many in one read. */
interface Way {
  readonly order: readonly number[];
  readonly sizes: readonly number[];
}

const way: fc.Arbitrary<Way> = fc.record({
  order: fc.oneof(
    fc.constant(Array.from({ length: messages }, (_, index) => index)),
    fc.shuffledSubarray([...new Array(messages).keys()], { minLength: messages }),
  ),
  sizes: fc.array(fc.integer({ min: 1, max: messages }), { minLength: messages, maxLength: messages }),
});

/** Sends what belongs to these identifiers, and awaits what answers it. */
async function goThrough(
  client: RawClient,
  ids: readonly number[],
  { order, sizes }: Way,
  sent: (id: number) => string,
  answer?: (id: number) => string,
): Promise<void> {
  const all = order.map((index) => ids[index] as number);
  for (const size of sizes) {
    const some = all.splice(0, size);
    client.send(some.map(sent).join(''));
    if (answer !== undefined) for (const id of some) assert.equal(await readPacket(client), answer(id));
  }
}

const publishAll = (version: Version, topic: string, qos: 1 | 2): string =>
  Array.from({ length: messages }, (_, index) => publish(version, topic, 'x', { qos, packetId: index + 1 })).join('');

for (const version of versions) {
  describe(`Acknowledgements of ${nameOf(version)} that come in one read`, () => {
    it('do what each does, and are answered in their order [MQTT-4.3.3-4] [MQTT-4.6.0-4] [MQTT-4.9.0-2]', async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom<1 | 2>(1, 2), way, way, fc.boolean(), async (qos, first, second, repeats) => {
          const topic = `t${++scenes}`;
          const quota = version === 5 ? { properties: `2100${messages.toString(16).padStart(2, '0')}` } : {};
          const client = await subscriber(port, version, { [topic]: qos }, quota);
          const publisher = await connected(port, version);
          for (let round = 0; round < 2; round++) {
            publisher.send(publishAll(version, topic, qos));
            if (qos === 2) publisher.send(Array.from({ length: messages }, (_, index) => pubrel(index + 1)).join(''));
            // Of the second round nothing comes where a message of the first still counts against the quota.
            const ids = await idsOf(client, qos);
            if (qos === 1) await goThrough(client, ids, first, puback);
            else {
              await goThrough(client, ids, first, pubrec, pubrel);
              if (repeats) await goThrough(client, ids, second, pubrec, pubrel);
              await goThrough(client, ids, second, pubcomp);
            }
          }
          client.end();
          publisher.end();
        }),
        { numRuns: 60 },
      );
    });

    it('are answered wherever they stand among others, and counted', async () => {
      const client = await subscriber(port, version, { 'm/#': 2 });
      const publisher = await connected(port, version);
      const qos2 = (id: number): string => publish(version, 'm', 'x', { qos: 2, packetId: id }) + pubrel(id);
      publisher.send(qos2(1) + publish(version, 'm', 'x', { qos: 1, packetId: 2 }) + qos2(3) + qos2(4));
      for (let answers = 7; answers > 0; answers--) await readPacket(publisher);
      const ids = new Map<number, number>();
      for (let count = 0; count < 4; count++) {
        const packet = await readPacket(client);
        ids.set(Number.parseInt(packet.slice(10, 14), 16), Number.parseInt(packet.slice(1, 2), 16) >> 1);
      }
      const open = [...ids].filter(([, each]) => each === 2).map(([id]) => id);
      const before = broker.status().traffic.packetsSent;
      client.send(open.map(pubrec).join(''));
      for (const id of open) assert.equal(await readPacket(client), pubrel(id));
      assert.equal(broker.status().traffic.packetsSent - before, 3);
      client.end();
      publisher.end();
    });

    it('have retained messages go on that wait for quota', async () => {
      const publisher = await connected(port, version);
      for (let index = 0; index < 30; index++) {
        publisher.send(publish(version, `retained-${version}/${index}`, 'x', { qos: 1, packetId: 1, retain: true }));
        await readPacket(publisher);
      }
      const quota = version === 5 ? { properties: '210003' } : {};
      const client = await subscriber(port, version, { [`retained-${version}/#`]: 1 }, quota);
      for (let left = 30; left > 0; left -= 3) {
        const ids: number[] = [];
        for (let count = 0; count < 3; count++) {
          const packet = await readPacket(client);
          const topicLength = Number.parseInt(packet.slice(4, 8), 16);
          ids.push(Number.parseInt(packet.slice(8 + 2 * topicLength, 12 + 2 * topicLength), 16));
        }
        client.send(ids.map(puback).join(''));
      }
      client.end();
      publisher.end();
    });

    it('close the connection where one belongs to another QoS, those before it in force', async () => {
      const client = await subscriber(port, version, { 'q/#': 2 });
      const publisher = await connected(port, version);
      publisher.send(
        publish(version, 'q', 'x', { qos: 2, packetId: 1 }) + publish(version, 'q', 'x', { qos: 2, packetId: 2 }),
      );
      publisher.send(pubrel(1) + pubrel(2) + publish(version, 'q', 'x', { qos: 1, packetId: 3 }));
      for (let count = 0; count < 3; count++) await readPacket(client);
      client.send(pubrec(1) + pubrec(2) + pubrec(3));
      for (const id of [1, 2]) assert.equal(await readPacket(client), pubrel(id));
      if (version === 5) assert.match(await readPacket(client), /^e0..82/);
      await client.closed();
      client.end();
      publisher.end();
    });
  });
}
