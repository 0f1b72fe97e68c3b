import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, nameOf, puback, pubrel, stored, subscriber, versions } from '../support/clients.js';
import { group, packet, publish, subscribe, text } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `overlap/${++topics}`;

/** Subscription identifiers in one PUBLISH, sorted; and the packet without them. */
function identifiersOf(bytes: string, head: string): { identifiers: string[]; payload: string } {
  assert.equal(bytes.slice(0, 2), head);
  const found = /((?:0b(?:[89a-f].)*[0-7].)*)(78)$/.exec(bytes);
  const identifiers = found?.[1]?.match(/0b(?:[89a-f].)*[0-7]./g) ?? [];
  return { identifiers: identifiers.sort(), payload: found?.[2] ?? '' };
}

async function add(client: RawClient, filter: string, options: number, identifier = ''): Promise<void> {
  client.send(subscribe(5, 1, { [filter]: options }, identifier));
  assert.match(await readPacket(client), /^90/);
}

for (const version of versions) {
  describe(`Overlapping subscriptions of ${nameOf(version)}`, () => {
    it('get one copy, at the highest QoS granted among them [MQTT-3.3.4-2]', async () => {
      const topic = freshTopic();
      const filters = { [`${topic}/#`]: 0, [`${topic}/+`]: 2, [`${topic}/b`]: 1 };
      const client = await subscriber(port, version, filters);
      const publisher = await connected(port, version);
      publisher.send(publish(version, `${topic}/b`, 'x', { qos: 2 }) + pubrel(1));
      assert.equal(await readPacket(client), publish(version, `${topic}/b`, 'x', { qos: 2 }));
      await ping(client);
      client.end();
      publisher.end();
    });

    it('get it at the lower QoS of the message [MQTT-3.3.4-2]', async () => {
      const topic = freshTopic();
      const client = await subscriber(port, version, { [`${topic}/#`]: 2, [`${topic}/b`]: 1 });
      client.send(publish(version, `${topic}/b`, 'x'));
      assert.equal(await readPacket(client), publish(version, `${topic}/b`, 'x'));
      await ping(client);
      client.end();
    });
  });
}

describe('Subscription identifiers', () => {
  it('come with the messages of their subscription, from 1 to 268,435,455 [MQTT-3.3.4-3]', async () => {
    for (const identifier of ['0b01', '0b7f', '0b8001', '0bffffff7f', '0bc8f01b']) {
      const topic = freshTopic();
      const client = await connected(port, 5);
      await add(client, topic, 2, identifier);
      client.send(publish(5, topic, 'x', { qos: 1, packetId: 9 }));
      assert.equal(await readPacket(client), publish(5, topic, 'x', { qos: 1, properties: identifier }));
      client.end();
    }
  });

  it('of all that match come in the one copy, those without one aside [MQTT-3.3.4-3] [MQTT-3.3.4-4]', async () => {
    const topic = freshTopic();
    const client = await connected(port, 5);
    await add(client, `${topic}/#`, 0, '0b01');
    await add(client, `${topic}/+`, 0);
    await add(client, `${topic}/b`, 0, '0bffffff7f');
    client.send(publish(5, `${topic}/b`, 'x'));
    const { identifiers, payload } = identifiersOf(await readPacket(client), '30');
    assert.deepEqual(identifiers, ['0b01', '0bffffff7f']);
    assert.equal(payload, '78');
    await ping(client);
    client.end();
  });

  it('come behind the properties of the message, at every QoS', async () => {
    const topic = freshTopic();
    const client = await connected(port, 5);
    await add(client, topic, 1, '0b07');
    const properties = `0101${`26${text('k')}${text('v')}`}`;
    for (const qos of [0, 1] as const) {
      client.send(publish(5, topic, 'x', { qos, packetId: 1, properties }));
      assert.equal(await readPacket(client), publish(5, topic, 'x', { qos, properties: `${properties}0b07` }));
    }
    client.end();
  });

  it('are each client’s own', async () => {
    const topic = freshTopic();
    const [first, second] = [await connected(port, 5), await connected(port, 5)];
    await add(first, `${topic}/+`, 0, '0b02');
    await add(first, `${topic}/#`, 0, '0b03');
    await add(second, `${topic}/+`, 0, '0bc8f01b');
    first.send(publish(5, `${topic}/x`, 'x'));
    assert.deepEqual(identifiersOf(await readPacket(first), '30').identifiers, ['0b02', '0b03']);
    assert.deepEqual(identifiersOf(await readPacket(second), '30').identifiers, ['0bc8f01b']);
    first.end();
    second.end();
  });

  it('are replaced by a SUBSCRIBE with another, and removed by one without [MQTT-3.3.4-3]', async () => {
    const topic = freshTopic();
    const client = await connected(port, 5);
    for (const properties of ['0b01', '0b02', '']) {
      await add(client, topic, 0, properties);
      client.send(publish(5, topic, 'x'));
      assert.equal(await readPacket(client), publish(5, topic, 'x', { properties }));
    }
    await ping(client);
    client.end();
  });

  it('come with retained messages, which are not merged', async () => {
    const topic = freshTopic();
    const client = await connected(port, 5);
    client.send(publish(5, topic, 'x', { qos: 1, retain: true, packetId: 9 }));
    await client.expect('40 03 0009 10');
    client.send(packet('82', '0001', group('0b05'), text(topic), '00', text(`${topic}/#`), '01'));
    await client.expect('90 05 0001 00 00 01');
    assert.equal(await readPacket(client), publish(5, topic, 'x', { retain: true, properties: '0b05' }));
    assert.equal(await readPacket(client), publish(5, topic, 'x', { qos: 1, retain: true, properties: '0b05' }));
    client.end();
  });

  it('are kept with the session and with what waits for it', async () => {
    const topic = freshTopic();
    const client = await connected(port, 5, stored(5, topic));
    await add(client, topic, 1, '0b05');
    await leave(client);
    const publisher = await connected(port, 5);
    publisher.send(publish(5, topic, 'x', { qos: 1 }));
    assert.equal(await readPacket(publisher), puback(1));
    const resumed = await connected(port, 5, stored(5, topic));
    assert.equal(await readPacket(resumed), publish(5, topic, 'x', { qos: 1, properties: '0b05' }));
    publisher.send(publish(5, topic, 'x'));
    assert.equal(await readPacket(resumed), publish(5, topic, 'x', { properties: '0b05' }));
    publisher.end();
    resumed.end();
  });

  it('of a shared subscription come in a copy of their own [MQTT-3.3.4-5]', async () => {
    const topic = freshTopic();
    const client = await connected(port, 5);
    await add(client, `$share/g/${topic}`, 0, '0b05');
    await add(client, topic, 0, '0b06');
    client.send(publish(5, topic, 'x'));
    const copies = [await readPacket(client), await readPacket(client)];
    assert.deepEqual(copies.flatMap((copy) => identifiersOf(copy, '30').identifiers).sort(), ['0b05', '0b06']);
    await ping(client);
    client.end();
  });
});
