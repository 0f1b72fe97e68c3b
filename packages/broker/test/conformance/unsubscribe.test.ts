import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { hex, publish, subscribe, unsubscribe } from '../support/packets.js';

const { broker, port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `unsubscribe/${++topics}`;

for (const version of [4, 5] as const) {
  const name = version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1';
  /** UNSUBACK; before 5.0 it has no codes. */
  const unsuback = (packetId: number, ...codes: readonly string[]): string =>
    version === 5
      ? `b0 ${hex(3 + codes.length, 1)} ${hex(packetId, 2)} 00 ${codes.join('')}`
      : `b0 02 ${hex(packetId, 2)}`;

  describe(`UNSUBSCRIBE in ${name}`, () => {
    it('of what was never subscribed to is answered all the same [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-2.2.1-6] [MQTT3-3.10.4-4] [MQTT3-3.10.4-5]', async () => {
      const client = await connected(port, version);
      client.send(unsubscribe(version, 0xfedc, freshTopic()));
      await client.expect(unsuback(0xfedc, '11'));
      client.end();
    });

    it('of several filters is answered once, in their order [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT3-3.10.4-4]', async () => {
      const client = await connected(port, version);
      const topic = freshTopic();
      client.send(subscribe(version, 1, { [`${topic}/1`]: 0, [`${topic}/3`]: 0 }));
      await readPacket(client);
      client.send(unsubscribe(version, 2, `${topic}/1`, `${topic}/2`, `${topic}/3`));
      await client.expect(unsuback(2, '00', '11', '00'));
      for (const end of [1, 2, 3]) client.send(publish(version, `${topic}/${end}`, ''));
      await ping(client);
      client.end();
    });

    it('removes the filter that is equal character by character, and no other [MQTT-3.10.4-1]', async () => {
      const client = await connected(port, version);
      const topic = freshTopic();
      client.send(subscribe(version, 1, { [`${topic}/+`]: 0 }));
      await readPacket(client);
      const others = ['b', '#', '+/'].map((end) => `${topic}/${end}`);
      for (const other of [...others, `${topic.toUpperCase()}/+`, `$share/g/${topic}/+`]) {
        client.send(unsubscribe(version, 2, other));
        await client.expect(unsuback(2, '11'));
      }
      client.send(publish(version, `${topic}/b`, 'still'));
      assert.equal(await readPacket(client), publish(version, `${topic}/b`, 'still'));
      client.send(unsubscribe(version, 3, `${topic}/+`));
      await client.expect(unsuback(3, '00'));
      client.end();
    });

    it('ends deliveries: nothing comes once it is answered [MQTT-3.10.4-2]', async () => {
      const client = await connected(port, version);
      const topic = freshTopic();
      client.send(subscribe(version, 1, { [topic]: 2 }));
      await readPacket(client);
      client.send(unsubscribe(version, 2, topic));
      await client.expect(unsuback(2, '00'));
      client.send(publish(version, topic, 'no more'));
      await ping(client);
      client.send(unsubscribe(version, 3, topic));
      await client.expect(unsuback(3, '11'));
      client.end();
    });

    it('lets a delivery that has begun go on to its end [MQTT-3.10.4-3]', async () => {
      const [client, publisher] = [await connected(port, version), await connected(port, version)];
      const topic = freshTopic();
      client.send(subscribe(version, 1, { [topic]: 2 }));
      await readPacket(client);
      for (const packetId of [1, 2]) publisher.send(publish(version, topic, 'x', { qos: 2, packetId }));
      publisher.send('62 02 0001 62 02 0002');
      for (const packetId of [1, 2])
        assert.equal(await readPacket(client), publish(version, topic, 'x', { qos: 2, packetId }));
      client.send('50 02 0001');
      await client.expect('62 02 0001');
      client.send(unsubscribe(version, 2, topic));
      await client.expect(unsuback(2, '00'));
      client.send('70 02 0001 50 02 0002');
      await client.expect('62 02 0002');
      client.send('70 02 0002');
      await ping(client);
      client.end();
      publisher.end();
    });

    it('lets what was sent and not acknowledged be sent again to the resumed session [MQTT-3.10.4-3]', async () => {
      const clientId = `resumes-${version}`;
      const fields = { clientId, cleanStart: false, ...(version === 5 ? { properties: '11 0000003c' } : {}) };
      const topic = freshTopic();
      const [before, publisher] = [await connected(port, version, fields), await connected(port, version)];
      before.send(subscribe(version, 1, { [topic]: 1 }));
      await readPacket(before);
      publisher.send(publish(version, topic, 'x', { qos: 1 }));
      assert.equal(await readPacket(before), publish(version, topic, 'x', { qos: 1 }));
      before.send(unsubscribe(version, 2, topic));
      await before.expect(unsuback(2, '00'));
      before.end();
      const resumed = await connected(port, version, fields);
      assert.equal(await readPacket(resumed), publish(version, topic, 'x', { qos: 1, dup: true }));
      resumed.end();
      publisher.end();
    });

    it('leaves the subscriptions of others alone, whatever they share of the filter [MQTT-3.10.4-1]', async () => {
      const [client, other] = [await connected(port, version), await connected(port, version)];
      const topic = freshTopic();
      const filters = [`${topic}/a/b`, `${topic}/a`, `${topic}/a/#`, `${topic}/+/b`];
      for (const one of [client, other]) {
        one.send(subscribe(version, 1, Object.fromEntries(filters.map((filter) => [filter, 0]))));
        await readPacket(one);
      }
      client.send(unsubscribe(version, 2, ...filters));
      await client.expect(unsuback(2, '00', '00', '00', '00'));
      client.send(publish(version, `${topic}/a/b`, 'x') + publish(version, `${topic}/a`, 'y'));
      assert.equal(await readPacket(other), publish(version, `${topic}/a/b`, 'x'));
      assert.equal(await readPacket(other), publish(version, `${topic}/a`, 'y'));
      await ping(client);
      client.end();
      other.end();
    });
  });

  describe(`Subscriptions of ${name}`, () => {
    it('that share their first levels come and go without a trace', async () => {
      const topic = freshTopic();
      for (let round = 0; round < 3; round++) {
        const client = await connected(port, version);
        client.send(subscribe(version, 1, { [`${topic}/1/#`]: 0, [`${topic}/2/#`]: 0, [`${topic}/3/#`]: 0 }));
        client.send(unsubscribe(version, 2, `${topic}/1/#`));
        await readPacket(client);
        await client.expect(unsuback(2, '00'));
        client.send('e000');
        await client.closed();
      }
      await waitFor(() => broker.status().subscriptions === 0);
    });

    it('that are shared and ordinary at once end with their client', async () => {
      for (let round = 0; round < 3; round++) {
        const [client, publisher] = [await connected(port, version), await connected(port, version)];
        client.send(subscribe(version, 1, { 'both/x': 1, '$share/g/both/x': 1 }) + unsubscribe(version, 2, 'both/x'));
        await readPacket(client);
        await client.expect(unsuback(2, '00'));
        client.send('e000');
        await client.closed();
        publisher.send(publish(version, 'both/x', 'x', { qos: 1 }));
        await publisher.expect(version === 5 ? '40 03 0001 10' : '40 02 0001');
        publisher.end();
      }
    });
  });

  describe(`PINGREQ in ${name}`, () => {
    it('is answered with PINGRESP, each of them [MQTT-3.12.4-1]', async () => {
      const client = await connected(port, version);
      client.send('c000 c000 c000');
      await client.expect('d000 d000 d000');
      client.end();
    });
  });
}
