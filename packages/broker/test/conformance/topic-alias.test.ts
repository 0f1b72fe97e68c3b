import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, puback, pubcomp, pubrec, pubrel, stored, subscriber } from '../support/clients.js';
import { hex, publish, subscribe } from '../support/packets.js';

const maximum = 10;
const { broker, port, stop } = await startBroker({ limits: { max_topic_alias: maximum, max_topic_alias_broker: 10 } });
after(stop);

let topics = 0;
const freshTopic = (): string => `alias/${++topics}`;
const alias = (value: number): string => `23${hex(value, 2)}`;
const aliasMaximum = (value: number): string => `22${hex(value, 2)}`;

describe('Topic aliases of the client', () => {
  it('are all accepted from 1 to the maximum, and stand for their topics [MQTT-3.3.2-12] [MQTT-3.2.2-17]', async () => {
    const topic = freshTopic();
    const [client, publisher] = [await subscriber(port, 5, { [`${topic}/#`]: 0 }), await connected(port, 5)];
    for (let value = 1; value <= maximum; value++)
      publisher.send(publish(5, `${topic}/${value}`, 'set', { properties: alias(value) }));
    for (let value = maximum; value >= 1; value--) publisher.send(publish(5, '', 'used', { properties: alias(value) }));
    for (let value = 1; value <= maximum; value++)
      assert.equal(await readPacket(client), publish(5, `${topic}/${value}`, 'set'));
    for (let value = maximum; value >= 1; value--)
      assert.equal(await readPacket(client), publish(5, `${topic}/${value}`, 'used'));
    client.end();
    publisher.end();
  });

  it('stand for topics that count for the maximum of who receives them: too large is not sent [MQTT-3.1.2-24] [MQTT-3.1.2-25]', async () => {
    const topic = `${freshTopic()}/${'x'.repeat(200)}`;
    const publisher = await connected(port, 5);
    for (const qos of [0, 1, 2] as const) {
      const client = await connected(port, 5, { properties: '27 00000064' });
      client.send(subscribe(5, 1, { [topic]: qos, 'alias/end': qos }));
      await readPacket(client);
      const dropped = broker.status().dropped.too_large;
      publisher.send(publish(5, topic, '', { properties: alias(1) }) + publish(5, '', 'x', { properties: alias(1) }));
      publisher.send(publish(5, 'alias/end', 'end'));
      assert.equal(await readPacket(client), publish(5, 'alias/end', 'end'));
      assert.equal(broker.status().dropped.too_large, dropped + 2);
      client.end();
    }
    publisher.end();
  });

  it('stand for the last topic that they were set to, at every QoS [MQTT-3.3.2-12]', async () => {
    const topic = freshTopic();
    const [client, publisher] = [await subscriber(port, 5, { [`${topic}/#`]: 0 }), await connected(port, 5)];
    publisher.send(publish(5, `${topic}/1`, 'a', { properties: alias(1) }));
    publisher.send(publish(5, `${topic}/2`, 'b', { qos: 1, packetId: 1, properties: alias(1) }));
    publisher.send(publish(5, '', 'c', { qos: 1, packetId: 2, properties: alias(1) }));
    for (const id of [1, 2]) assert.equal(await readPacket(publisher), puback(id));
    assert.equal(await readPacket(client), publish(5, `${topic}/1`, 'a'));
    assert.equal(await readPacket(client), publish(5, `${topic}/2`, 'b'));
    assert.equal(await readPacket(client), publish(5, `${topic}/2`, 'c'));
    publisher.send(publish(5, '', 'd', { qos: 2, packetId: 3, properties: alias(1) }));
    assert.equal(await readPacket(publisher), pubrec(3));
    publisher.send(publish(5, `${topic}/3`, 'e', { properties: alias(1) }) + pubrel(3));
    assert.equal(await readPacket(publisher), pubcomp(3));
    assert.equal(await readPacket(client), publish(5, `${topic}/3`, 'e'));
    assert.equal(await readPacket(client), publish(5, `${topic}/2`, 'd'));
    client.end();
    publisher.end();
  });

  it('are known to one connection only, and end with it [MQTT-3.3.2-7]', async () => {
    const topic = freshTopic();
    const publisher = await connected(port, 5, stored(5, topic));
    publisher.send(publish(5, topic, 'x', { properties: alias(1) }));
    await ping(publisher);
    const other = await connected(port, 5);
    other.send(publish(5, '', 'x', { properties: alias(1) }));
    await other.expect('e0 01 82');
    await other.closed();
    await leave(publisher);
    const resumed = await connected(port, 5, stored(5, topic));
    resumed.send(publish(5, '', 'x', { properties: alias(1) }));
    await resumed.expect('e0 01 82');
    await resumed.closed();
  });

  it('are refused where the server announced none [MQTT-3.2.2-18] [MQTT-3.3.2-9]', async () => {
    const none = await startBroker({ limits: { max_topic_alias: 0 } });
    try {
      const client = await connected(none.port, 5);
      client.send(publish(5, 'a', 'x', { properties: alias(1) }));
      await client.expect('e0 01 94');
      await client.closed();
    } finally {
      await none.stop();
    }
  });

  it('do not travel to subscribers that gave no maximum of their own [MQTT-3.1.2-27] [MQTT-3.3.2-3]', async () => {
    const topic = freshTopic();
    for (const properties of ['', aliasMaximum(0)]) {
      const client = await subscriber(port, 5, { [topic]: 2 }, { properties });
      client.send(publish(5, topic, 'x', { properties: alias(1) }));
      for (let count = 1; count < 10; count++) client.send(publish(5, '', 'x', { properties: alias(1) }));
      for (let count = 0; count < 10; count++) assert.equal(await readPacket(client), publish(5, topic, 'x'));
      client.end();
    }
  });
});

describe('Topic aliases of the server', () => {
  it('come with the topic first, and without it from then on, at every QoS [MQTT-3.1.2-26] [MQTT-3.3.2-11]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [`${topic}/#`]: 2 }, { properties: aliasMaximum(1) });
    const publisher = await connected(port, 5);
    publisher.send(publish(5, `${topic}/1`, 'a'));
    publisher.send(publish(5, `${topic}/1`, 'b', { qos: 1, packetId: 1 }));
    publisher.send(publish(5, `${topic}/1`, 'c', { qos: 2, packetId: 2 }) + pubrel(2));
    publisher.send(publish(5, `${topic}/2`, 'd') + publish(5, `${topic}/1`, 'e'));
    const properties = alias(1);
    assert.equal(await readPacket(client), publish(5, `${topic}/1`, 'a', { properties }));
    assert.equal(await readPacket(client), publish(5, '', 'b', { qos: 1, packetId: 1, properties }));
    assert.equal(await readPacket(client), publish(5, '', 'c', { qos: 2, packetId: 2, properties }));
    assert.equal(await readPacket(client), publish(5, `${topic}/2`, 'd'));
    assert.equal(await readPacket(client), publish(5, '', 'e', { properties }));
    client.end();
    publisher.end();
  });

  it('are given in order while the client’s maximum lasts [MQTT-3.1.2-26] [MQTT-3.3.2-11]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [`${topic}/#`]: 0 }, { properties: aliasMaximum(2) });
    for (const round of [1, 2])
      for (let value = 1; value <= 5; value++) {
        client.send(publish(5, `${topic}/${value}`, 'x'));
        const known = value <= 2 && round === 2;
        const expected = publish(5, known ? '' : `${topic}/${value}`, 'x', {
          properties: value <= 2 ? alias(value) : '',
        });
        assert.equal(await readPacket(client), expected);
      }
    client.end();
  });

  it('are no more than the operator allows, whatever the client does [MQTT-3.3.2-11]', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [`${topic}/#`]: 0 }, { properties: aliasMaximum(65_535) });
    for (let value = 1; value <= 12; value++) {
      client.send(publish(5, `${topic}/${value}`, 'x'));
      const properties = value <= 10 ? alias(value) : '';
      assert.equal(await readPacket(client), publish(5, `${topic}/${value}`, 'x', { properties }));
    }
    client.end();
  });

  it('are set anew after a reconnect: what is sent again bears its topic [MQTT-3.3.2-7]', async () => {
    const topic = freshTopic();
    const fields = { ...stored(5, topic), properties: `110000003c${aliasMaximum(5)}` };
    const client = await subscriber(port, 5, { [topic]: 1 }, fields);
    client.send(publish(5, topic, 'x') + publish(5, topic, 'y', { qos: 1, packetId: 1 }));
    assert.equal(await readPacket(client), publish(5, topic, 'x', { properties: alias(1) }));
    assert.equal(await readPacket(client), publish(5, '', 'y', { qos: 1, packetId: 1, properties: alias(1) }));
    assert.equal(await readPacket(client), puback(1));
    await leave(client);
    const resumed = await connected(port, 5, fields);
    const again = publish(5, topic, 'y', { qos: 1, dup: true, packetId: 1, properties: alias(1) });
    assert.equal(await readPacket(resumed), again);
    resumed.end();
  });

  it('are not taken as set when the packet was too large for the client to be sent', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 0 }, { properties: `${aliasMaximum(1)}2700000020` });
    const publisher = await connected(port, 5);
    publisher.send(publish(5, topic, 'x'.repeat(40)) + publish(5, topic, 'x'));
    assert.equal(await readPacket(client), publish(5, topic, 'x', { properties: alias(1) }));
    client.end();
    publisher.end();
  });
});
