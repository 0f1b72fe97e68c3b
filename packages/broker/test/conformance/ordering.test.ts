import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { leave, nameOf, puback, pubcomp, pubrec, pubrel, stored, subscriber, versions } from '../support/clients.js';
import { publish, type Version } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

const count = 1_000;
const window = 50;

/** Publishes the numbers from 1 to {@link count}, at most {@link window} of them unacknowledged. */
async function publishAll(version: Version, topic: string, qos: 0 | 1 | 2): Promise<void> {
  const publisher = await connected(port, version);
  for (let first = 1; first <= count; first += window) {
    const ids = Array.from({ length: window }, (_, index) => first + index);
    publisher.send(ids.map((id) => publish(version, topic, `${id}`, { qos, packetId: id })).join(''));
    if (qos === 1) for (const id of ids) assert.equal(await readPacket(publisher), puback(id));
    if (qos === 2) {
      for (const id of ids) assert.equal(await readPacket(publisher), pubrec(id));
      publisher.send(ids.map(pubrel).join(''));
      for (const id of ids) assert.equal(await readPacket(publisher), pubcomp(id));
    }
  }
  publisher.end();
}

/** Takes and acknowledges the numbers from 1 to {@link count}, in that order and nothing else. */
async function takeAll(client: RawClient, version: Version, topic: string, qos: 0 | 1 | 2): Promise<void> {
  for (let next = 1; next <= count; ) {
    const received = await readPacket(client);
    if (received.startsWith('62')) {
      client.send(`7002${received.slice(4)}`);
      continue;
    }
    assert.equal(received, publish(version, topic, `${next}`, { qos, packetId: next }));
    if (qos === 1) client.send(puback(next));
    if (qos === 2) client.send(pubrec(next));
    next++;
  }
}

for (const version of versions) {
  describe(`Messages of one client, topic and QoS arrive in order in ${nameOf(version)}`, () => {
    for (const qos of [0, 1, 2] as const) {
      it(`at QoS ${qos}, sent as fast as they can be taken [MQTT-4.6.0-5] [MQTT-4.6.0-6]`, async () => {
        const topic = `order/${version}/${qos}`;
        const client = await subscriber(port, version, { [topic]: qos });
        await Promise.all([publishAll(version, topic, qos), takeAll(client, version, topic, qos)]);
        client.end();
      });

      if (qos === 0) continue;
      it(`at QoS ${qos}, through the queue of an offline session [MQTT-4.6.0-5] [MQTT3-3.1.2-5]`, async () => {
        const topic = `order/offline/${version}/${qos}`;
        await leave(await subscriber(port, version, { [topic]: qos }, stored(version, topic)));
        await publishAll(version, topic, qos);
        const client = await connected(port, version, stored(version, topic));
        await takeAll(client, version, topic, qos);
        client.end();
      });

      it(`at QoS ${qos}, half of them through the queue while the other half is published [MQTT-4.6.0-5]`, async () => {
        const topic = `order/half/${version}/${qos}`;
        await leave(await subscriber(port, version, { [topic]: qos }, stored(version, topic)));
        const publishing = publishAll(version, topic, qos);
        const client = await connected(port, version, stored(version, topic));
        await Promise.all([publishing, takeAll(client, version, topic, qos)]);
        client.end();
      });
    }
  });

  it(`PUBRELs leave in the order of the PUBRECs in ${nameOf(version)} [MQTT-4.6.0-4]`, async () => {
    const topic = `order/rel/${version}`;
    const [client, publisher] = [await subscriber(port, version, { [topic]: 2 }), await connected(port, version)];
    const ids = Array.from({ length: 10 }, (_, index) => index + 1);
    for (const id of ids) publisher.send(publish(version, topic, 'x', { qos: 2, packetId: id }) + pubrel(id));
    for (const id of ids)
      assert.equal(await readPacket(client), publish(version, topic, 'x', { qos: 2, packetId: id }));
    const shuffled = [7, 1, 10, 3, 9, 2, 8, 4, 6, 5];
    client.send(shuffled.map(pubrec).join(''));
    for (const id of shuffled) assert.equal(await readPacket(client), pubrel(id));
    client.end();
    publisher.end();
  });
}

describe('A small receive maximum', () => {
  for (const qos of [1, 2] as const)
    it(`keeps the order at QoS ${qos} [MQTT-4.6.0-5]`, async () => {
      const topic = `order/small/${qos}`;
      const client = await subscriber(port, 5, { [topic]: qos }, { properties: '210003' });
      await Promise.all([publishAll(5, topic, qos), takeAll(client, 5, topic, qos)]);
      client.end();
    });
});
