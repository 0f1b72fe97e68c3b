import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, nameOf, puback, pubcomp, pubrec, pubrel, stored, subscriber, versions } from '../support/clients.js';
import { hex, publish, type Version } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `outgoing/${++topics}`;

/** Publishes one message at each QoS given, by a client of its own; returns when the broker has them all. */
async function send(version: Version, topic: string, ...qos: readonly (0 | 1 | 2)[]): Promise<void> {
  const publisher = await connected(port, version);
  for (const [index, each] of qos.entries()) {
    const packetId = index + 1;
    publisher.send(
      publish(version, topic, `${packetId}`, { qos: each, packetId }) + (each === 2 ? pubrel(packetId) : ''),
    );
  }
  for (const each of qos.flatMap((level) => (level === 2 ? ['50', '70'] : level === 1 ? ['40'] : [])))
    assert.equal((await readPacket(publisher)).slice(0, 2), each);
  await ping(publisher);
  publisher.end();
}

/** A subscriber whose session is kept, under the name of its topic. */
const keptSubscriber = (version: Version, topic: string): Promise<RawClient> =>
  subscriber(port, version, { [topic]: 2 }, stored(version, topic));

for (const version of versions) {
  const back = (topic: string): Promise<RawClient> => connected(port, version, stored(version, topic));

  describe(`To a client of ${nameOf(version)}`, () => {
    it('messages leave with DUP 0 and identifiers from 1, whatever DUP they came with [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2] [MQTT-3.3.1-3] [MQTT-2.2.1-4]', async () => {
      const topic = freshTopic();
      const [client, publisher] = [await subscriber(port, version, { [topic]: 2 }), await connected(port, version)];
      publisher.send(publish(version, topic, '0'));
      publisher.send(publish(version, topic, '1', { qos: 1, dup: true, packetId: 900 }));
      publisher.send(publish(version, topic, '2', { qos: 2, dup: true, packetId: 900 }) + pubrel(900));
      assert.equal(await readPacket(client), publish(version, topic, '0'));
      assert.equal(await readPacket(client), publish(version, topic, '1', { qos: 1, packetId: 1 }));
      assert.equal(await readPacket(client), publish(version, topic, '2', { qos: 2, packetId: 2 }));
      client.end();
      publisher.end();
    });

    it('nothing is sent again while it is connected [MQTT-4.4.0-1]', async () => {
      const topic = freshTopic();
      const client = await subscriber(port, version, { [topic]: 2 });
      await send(version, topic, 1, 2, 2);
      for (const packetId of [1, 2, 3]) assert.equal((await readPacket(client)).slice(-2), hex(0x30 + packetId, 1));
      client.send(pubrec(3));
      assert.equal(await readPacket(client), pubrel(3));
      await send(version, topic, 1);
      assert.equal(await readPacket(client), publish(version, topic, '1', { qos: 1, packetId: 4 }));
      await ping(client);
      client.end();
    });

    it('QoS 0 is sent once and not again [MQTT-4.3.1-1]', async () => {
      const topic = freshTopic();
      const client = await keptSubscriber(version, topic);
      await send(version, topic, 0);
      assert.equal(await readPacket(client), publish(version, topic, '1'));
      client.end();
      const resumed = await back(topic);
      await ping(resumed);
      resumed.end();
    });

    it('QoS 1 is sent again with DUP and its identifier until PUBACK, and then no more [MQTT-3.3.1-1] [MQTT-4.3.2-3] [MQTT-4.4.0-1] [MQTT3-4.4.0-1]', async () => {
      const topic = freshTopic();
      const client = await keptSubscriber(version, topic);
      await send(version, topic, 1);
      assert.equal(await readPacket(client), publish(version, topic, '1', { qos: 1 }));
      client.end();
      for (const _ of [1, 2]) {
        const resumed = await back(topic);
        assert.equal(await readPacket(resumed), publish(version, topic, '1', { qos: 1, dup: true }));
        await ping(resumed);
        resumed.end();
      }
      const resumed = await back(topic);
      assert.match(await readPacket(resumed), /^3a/);
      resumed.send(puback(1));
      await leave(resumed);
      const last = await back(topic);
      await ping(last);
      last.end();
    });

    it('QoS 2 is sent again until PUBREC, its PUBREL until PUBCOMP, and then no more [MQTT-3.3.1-1] [MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-1] [MQTT3-4.4.0-1]', async () => {
      const topic = freshTopic();
      const client = await keptSubscriber(version, topic);
      await send(version, topic, 2);
      assert.equal(await readPacket(client), publish(version, topic, '1', { qos: 2 }));
      client.end();
      const second = await back(topic);
      assert.equal(await readPacket(second), publish(version, topic, '1', { qos: 2, dup: true }));
      second.send(pubrec(1));
      assert.equal(await readPacket(second), pubrel(1));
      await ping(second);
      second.end();
      const third = await back(topic);
      assert.equal(await readPacket(third), pubrel(1));
      await ping(third);
      third.end();
      const fourth = await back(topic);
      assert.equal(await readPacket(fourth), pubrel(1));
      fourth.send(pubcomp(1));
      await leave(fourth);
      const last = await back(topic);
      await ping(last);
      last.end();
    });

    it('all that is open comes again in order, before what waits [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT3-4.4.0-1]', async () => {
      const topic = freshTopic();
      const client = await keptSubscriber(version, topic);
      await send(version, topic, 1, 2, 1, 2, 1);
      for (const _ of [1, 2, 3, 4, 5]) await readPacket(client);
      client.send(pubrec(2) + puback(3));
      assert.equal(await readPacket(client), pubrel(2));
      await leave(client);
      await send(version, topic, 1);
      const resumed = await back(topic);
      assert.equal(await readPacket(resumed), publish(version, topic, '1', { qos: 1, dup: true, packetId: 1 }));
      assert.equal(await readPacket(resumed), pubrel(2));
      assert.equal(await readPacket(resumed), publish(version, topic, '4', { qos: 2, dup: true, packetId: 4 }));
      assert.equal(await readPacket(resumed), publish(version, topic, '5', { qos: 1, dup: true, packetId: 5 }));
      assert.equal(await readPacket(resumed), publish(version, topic, '1', { qos: 1, packetId: 6 }));
      await ping(resumed);
      resumed.end();
    });

    it('what comes again keeps its RETAIN flag [MQTT-3.3.1-1]', async () => {
      const topic = freshTopic();
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'x', { qos: 1, retain: true }));
      await readPacket(publisher);
      const client = await keptSubscriber(version, topic);
      assert.equal(await readPacket(client), publish(version, topic, 'x', { qos: 1, retain: true }));
      client.end();
      const resumed = await back(topic);
      assert.equal(await readPacket(resumed), publish(version, topic, 'x', { qos: 1, retain: true, dup: true }));
      publisher.end();
      resumed.end();
    });

    it('an identifier is not given again before its message is done [MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT-2.2.1-4]', async () => {
      const topic = freshTopic();
      const client = await subscriber(port, version, { [topic]: 2 });
      const publisher = await connected(port, version);
      const last = 70_000;
      const ids: number[] = [];
      for (let sent = 0; sent < last; sent += 500) {
        const batch = publish(version, topic, 'x', { qos: 1, packetId: 1 }).repeat(500);
        publisher.send(batch);
        const answers: string[] = [];
        for (let count = 0; count < 500; count++) {
          const received = await readPacket(client);
          const id = Number.parseInt(received.slice(8 + 2 * topic.length, 12 + 2 * topic.length), 16);
          ids.push(id);
          if (ids.length !== 1 && ids.length !== 65_535) answers.push(puback(id));
        }
        client.send(answers.join(''));
        await publisher.read(500 * 4);
      }
      assert.equal(ids[0], 1);
      assert.equal(ids[65_534], 65_535);
      assert.deepEqual([...ids.slice(0, 65_535)].sort((a, b) => a - b).at(-1), 65_535);
      assert.equal(new Set(ids.slice(0, 65_535)).size, 65_535);
      // The first and the last are still open: the second round passes over them.
      assert.deepEqual(ids.slice(65_535, 65_540), [2, 3, 4, 5, 6]);
      client.end();
      publisher.end();
    });
  });
}

describe('To a client of MQTT 5.0', () => {
  for (const [qos, refusal] of [
    [1, '40 03 0001 80'],
    [2, '50 03 0001 80'],
  ] as const)
    it(`a message of QoS ${qos} is done when it is refused: the quota is back, and it is not sent again [MQTT-4.4.0-2] [MQTT-4.3.3-4]`, async () => {
      const topic = freshTopic();
      const fields = { ...stored(5, topic), properties: '110000003c210001' };
      const client = await subscriber(port, 5, { [topic]: 2 }, fields);
      await send(5, topic, qos, qos);
      assert.equal(await readPacket(client), publish(5, topic, '1', { qos, packetId: 1 }));
      await ping(client);
      client.send(refusal);
      assert.equal(await readPacket(client), publish(5, topic, '2', { qos, packetId: 2 }));
      client.end();
      const resumed = await connected(port, 5, fields);
      assert.equal(await readPacket(resumed), publish(5, topic, '2', { qos, dup: true, packetId: 2 }));
      await ping(resumed);
      resumed.end();
    });

  for (const bytes of ['50 02 0001', '50 03 0001 00', '50 03 0001 10', '50 04 0001 00 00', '50 07 0001 00 03 1f 0000'])
    it(`${bytes} is answered with PUBREL, and every form of PUBCOMP ends it [MQTT-4.3.3-4] [MQTT-4.3.3-5]`, async () => {
      const topic = freshTopic();
      const client = await keptSubscriber(5, topic);
      await send(5, topic, 2);
      assert.equal(await readPacket(client), publish(5, topic, '1', { qos: 2 }));
      client.send(bytes);
      assert.equal(await readPacket(client), pubrel(1));
      client.send(bytes.replace('50', '70').replace('0001 10', '0001 92'));
      await leave(client);
      const resumed = await connected(port, 5, stored(5, topic));
      await ping(resumed);
      resumed.end();
    });
});

describe('A session that is resumed', () => {
  it('changes its version: what 5.0 left open comes to 3.1.1, and back', async () => {
    const topic = freshTopic();
    const client = await keptSubscriber(5, topic);
    await send(5, topic, 1, 2);
    for (const _ of [1, 2]) await readPacket(client);
    client.end();
    const older = await connected(port, 4, stored(4, topic));
    assert.equal(await readPacket(older), publish(4, topic, '1', { qos: 1, dup: true, packetId: 1 }));
    assert.equal(await readPacket(older), publish(4, topic, '2', { qos: 2, dup: true, packetId: 2 }));
    older.end();
    const newer = await connected(port, 5, stored(5, topic));
    assert.equal(await readPacket(newer), publish(5, topic, '1', { qos: 1, dup: true, packetId: 1 }));
    newer.end();
  });

  it('gets what waited for it even when it is to end with this connection', async () => {
    const topic = freshTopic();
    await leave(await keptSubscriber(5, topic));
    await send(5, topic, 1, 2, 1);
    const client = await connected(port, 5, { clientId: topic, cleanStart: false });
    for (const [index, qos] of ([1, 2, 1] as const).entries())
      assert.equal(await readPacket(client), publish(5, topic, `${index + 1}`, { qos, packetId: index + 1 }));
    await leave(client);
    const fresh = await connected(port, 5, { clientId: topic, cleanStart: false });
    await send(5, topic, 1);
    await ping(fresh);
    fresh.end();
  });
});
