import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, nameOf, puback, stored, subscriber, versions } from '../support/clients.js';
import { publish, type Version } from '../support/packets.js';

const { port, stop } = await startBroker();
after(stop);

async function send(to: number, topic: string, ...payloads: readonly string[]): Promise<void> {
  const publisher = await connected(to, 5);
  for (const [index, payload] of payloads.entries()) {
    publisher.send(publish(5, topic, payload, { qos: 1, packetId: index + 1 }));
    assert.equal(await readPacket(publisher), puback(index + 1));
  }
  publisher.end();
}

/** The session gets exactly these payloads when it comes back. */
async function waits(to: number, version: Version, topic: string, ...payloads: readonly string[]): Promise<void> {
  const client = await connected(to, version, stored(version, topic));
  for (const payload of payloads) {
    const received = await readPacket(client);
    assert.equal(received.slice(0, 2), '32');
    assert.equal(received.slice(-2 * payload.length), Buffer.from(payload).toString('hex'));
  }
  await ping(client);
  client.end();
}

for (const version of versions) {
  describe(`An offline session of ${nameOf(version)}`, () => {
    it('gathers QoS 1 and 2, and not QoS 0 [MQTT3-3.1.2-5] [MQTT-3.1.2-5]', async () => {
      const topic = `queue/${version}`;
      await leave(await subscriber(port, version, { [topic]: 2 }, stored(version, topic)));
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, '0') + publish(version, topic, '1', { qos: 1, packetId: 1 }));
      publisher.send(`${publish(version, topic, '2', { qos: 2, packetId: 2 })}62020002`);
      await publisher.expect('40020001 50020002 70020002');
      const client = await connected(port, version, stored(version, topic));
      assert.equal(await readPacket(client), publish(version, topic, '1', { qos: 1, packetId: 1 }));
      assert.equal(await readPacket(client), publish(version, topic, '2', { qos: 2, packetId: 2 }));
      await ping(client);
      publisher.end();
      client.end();
    });

    it('gathers messages at the QoS granted to it: none at QoS 0', async () => {
      const topic = `queue/granted/${version}`;
      await leave(await subscriber(port, version, { [topic]: 0 }, stored(version, topic)));
      await send(port, topic, 'a', 'b');
      await waits(port, version, topic);
    });
  });
}

describe('A queue that is full', () => {
  const cases = [
    ['drop_newest', { max_queued_messages: 3 }, ['1', '2', '3', '4', '5'], ['1', '2', '3']],
    ['drop_oldest', { max_queued_messages: 3 }, ['1', '2', '3', '4', '5'], ['3', '4', '5']],
    ['drop_newest', { max_queued_bytes: 17 }, ['aaaaa', 'bbbbb', 'ccccc', 'd'], ['aaaaa', 'bbbbb', 'd']],
    ['drop_oldest', { max_queued_bytes: 17 }, ['aaaaa', 'bbbbb', 'ccccc', 'd'], ['bbbbb', 'ccccc', 'd']],
    ['drop_oldest', { max_queued_bytes: 17 }, ['aaaaa', 'x'.repeat(40), 'b'], ['aaaaa', 'b']],
  ] as const;
  for (const [queue_full, limit, payloads, expected] of cases)
    it(`loses messages by the rule ${queue_full} with ${JSON.stringify(limit)} when it is sent ${payloads}`, async () => {
      const small = await startBroker({ limits: { ...limit, queue_full } });
      try {
        await leave(await subscriber(small.port, 5, { q: 1 }, stored(5, 'q')));
        await send(small.port, 'q', ...payloads);
        await waits(small.port, 5, 'q', ...expected);
        assert.equal(small.broker.status().dropped.queue_full, payloads.length - expected.length);
      } finally {
        await small.stop();
      }
    });

  it('loses the oldest of a session that was online before, whose open messages stay', async () => {
    const small = await startBroker({ limits: { max_queued_messages: 2, queue_full: 'drop_oldest' } });
    try {
      const fields = { ...stored(5, 'q'), properties: '110000003c210002' };
      const client = await subscriber(small.port, 5, { q: 1 }, fields);
      await send(small.port, 'q', '1', '2', '3', '4', '5');
      for (const id of [1, 2])
        assert.equal(await readPacket(client), publish(5, 'q', `${id}`, { qos: 1, packetId: id }));
      await leave(client);
      await send(small.port, 'q', '6');
      const resumed = await connected(small.port, 5, fields);
      for (const packetId of [1, 2])
        assert.equal(await readPacket(resumed), publish(5, 'q', `${packetId}`, { qos: 1, dup: true, packetId }));
      resumed.send(puback(1) + puback(2));
      for (const packetId of [5, 6])
        assert.equal(await readPacket(resumed), publish(5, 'q', `${packetId}`, { qos: 1, packetId }));
      await ping(resumed);
      resumed.end();
    } finally {
      await small.stop();
    }
  });
});
