import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { hex, publish, subscribe } from '../support/packets.js';

const { port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `subscribe/${++topics}`;

for (const version of [4, 5] as const) {
  const suback = (packetId: number, ...codes: readonly string[]): string =>
    `90 ${hex(codes.length + (version === 5 ? 3 : 2), 1)} ${hex(packetId, 2)} ${version === 5 ? '00' : ''} ${codes.join('')}`;

  describe(`SUBSCRIBE in ${version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1'}`, () => {
    it('is answered with a SUBACK of its packet identifier [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-2.2.1-6]', async () => {
      const client = await connected(port, version);
      client.send(subscribe(version, 0xfedc, { [freshTopic()]: 0 }));
      await client.expect(suback(0xfedc, '00'));
      client.end();
    });

    it('is answered in order when several come at once [MQTT-3.8.4-2]', async () => {
      const client = await connected(port, version);
      const ids = [7, 3, 9, 1];
      client.send(ids.map((id) => subscribe(version, id, { [freshTopic()]: 1 })).join(''));
      for (const id of ids) await client.expect(suback(id, '01'));
      client.end();
    });

    it('is answered with the granted QoS of every filter, in their order [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2] [MQTT3-3.8.4-5] [MQTT3-3.9.3-2]', async () => {
      const client = await connected(port, version);
      const topic = freshTopic();
      client.send(subscribe(version, 5, { [topic]: 2, [`${topic}/+`]: 0, [`${topic}/#`]: 1 }));
      await client.expect(suback(5, '02', '00', '01'));
      client.end();
    });

    it('with one filter twice is answered twice, and the last options hold [MQTT-3.8.4-5] [MQTT-3.8.4-3]', async () => {
      const client = await connected(port, version);
      client.send(
        version === 5 ? '82 0f 0001 00 0003 642f78 02 0003 642f78 00' : '82 0e 0001 0003 642f78 02 0003 642f78 00',
      );
      await client.expect(suback(1, '02', '00'));
      client.send(publish(version, 'd/x', 'once', { qos: 1, packetId: 9 }));
      assert.equal(await readPacket(client), publish(version, 'd/x', 'once'));
      await client.expect('40 02 0009');
      client.end();
    });

    it('with a filter that is subscribed to replaces the subscription: one copy, at the new QoS [MQTT-3.8.4-3] [MQTT3-3.8.4-3]', async () => {
      const client = await connected(port, version);
      const topic = freshTopic();
      for (const qos of [2, 0]) {
        client.send(subscribe(version, 1, { [topic]: qos }));
        await readPacket(client);
      }
      client.send(publish(version, topic, 'x', { qos: 1, packetId: 9 }));
      assert.equal(await readPacket(client), publish(version, topic, 'x'));
      await client.expect('40 02 0009');
      await ping(client);
      client.end();
    });

    it('with a filter that is subscribed to sends the retained messages again [MQTT-3.8.4-4] [MQTT3-3.8.4-3]', async () => {
      const client = await connected(port, version);
      const topic = freshTopic();
      client.send(publish(version, topic, 'kept', { retain: true }));
      for (let time = 0; time < 2; time++) {
        client.send(subscribe(version, 1, { [topic]: 0 }));
        await client.expect(suback(1, '00'));
        assert.equal(await readPacket(client), publish(version, topic, 'kept', { retain: true }));
      }
      await ping(client);
      client.end();
    });

    it('with a filter that is subscribed to loses no message of those under way [MQTT-3.8.4-4] [MQTT3-3.8.4-3]', async () => {
      const [subscriber, publisher] = [await connected(port, version), await connected(port, version)];
      const topic = freshTopic();
      const messages = 1_000;
      subscriber.send(subscribe(version, 1, { [topic]: 0 }));
      await readPacket(subscriber);
      let subscribed = 0;
      for (let message = 0; message < messages; message++) {
        publisher.send(publish(version, topic, `${message}`, { qos: 1, packetId: message + 1 }));
        if (message % 20 === 0) subscriber.send(subscribe(version, ++subscribed, { [topic]: subscribed % 2 }));
      }
      let next = 0;
      let acknowledged = 0;
      while (next < messages || acknowledged < subscribed) {
        const received = await readPacket(subscriber);
        if (received.startsWith('90')) acknowledged++;
        else assert.ok(received.endsWith(Buffer.from(`${next++}`).toString('hex')), received);
      }
      subscriber.end();
      publisher.end();
    });

    it('delivers at the lower QoS of message and subscription [MQTT-3.8.4-8]', async () => {
      const publisher = await connected(port, version);
      for (const granted of [0, 1, 2] as const) {
        const subscriber = await connected(port, version);
        const topic = freshTopic();
        subscriber.send(subscribe(version, 1, { [topic]: granted }));
        await readPacket(subscriber);
        let packetId = 0;
        for (const qos of [0, 1, 2] as const) {
          const delivered = Math.min(qos, granted) as 0 | 1 | 2;
          if (delivered > 0) packetId++;
          publisher.send(publish(version, topic, 'x', { qos, packetId: 10 }));
          if (qos === 1) await publisher.expect('40 02 000a');
          if (qos === 2) {
            await publisher.expect('50 02 000a');
            publisher.send('62 02 000a');
            await publisher.expect('70 02 000a');
          }
          assert.equal(await readPacket(subscriber), publish(version, topic, 'x', { qos: delivered, packetId }));
        }
        subscriber.end();
      }
      publisher.end();
    });

    it('is granted with wildcards, and they match [MQTT3-3.8.3-2]', async () => {
      const client = await connected(port, version);
      const topic = freshTopic();
      client.send(subscribe(version, 1, { [`${topic}/+/b/#`]: 0 }));
      await client.expect(suback(1, '00'));
      for (const end of ['x/b', 'x/b/c/d']) {
        client.send(publish(version, `${topic}/${end}`, end));
        assert.equal(await readPacket(client), publish(version, `${topic}/${end}`, end));
      }
      client.send(publish(version, `${topic}/x/c`, ''));
      await ping(client);
      client.end();
    });
  });
}

describe('SUBSCRIBE options of MQTT 5.0', () => {
  it('No Local keeps a client from its own messages, on a resumed connection too [MQTT-3.8.3-3]', async () => {
    const session = { clientId: 'no-local', properties: '11 0000003c', cleanStart: false };
    const topic = freshTopic();
    const [before, other] = [await connected(port, 5, session), await connected(port, 5)];
    before.send(subscribe(5, 1, { [topic]: 0x04 }));
    await readPacket(before);
    before.send(publish(5, topic, 'own'));
    await ping(before);
    before.end();
    const client = await connected(port, 5, session);
    client.send(publish(5, topic, 'own'));
    await ping(client);
    other.send(publish(5, topic, "another's"));
    assert.equal(await readPacket(client), publish(5, topic, "another's"));
    client.end();
    other.end();
  });

  it('and the subscription identifier are those of the last SUBSCRIBE with the filter [MQTT-3.8.4-3]', async () => {
    const client = await connected(port, 5);
    const topic = freshTopic();
    for (const properties of ['0b 05', '0b ffffff7f', '']) {
      client.send(subscribe(5, 1, { [topic]: 0 }, properties));
      await client.expect('90 04 0001 00 00');
      client.send(publish(5, topic, 'x'));
      assert.equal(await readPacket(client), publish(5, topic, 'x', { properties }));
    }
    await ping(client);
    client.end();
  });

  it('take a user property without a word [MQTT-3.8.4-1]', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { [freshTopic()]: 0 }, '26 0000 0000 26 0001 61 0001 62'));
    await client.expect('90 04 0001 00 00');
    client.end();
  });
});
