import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { nameOf, pubcomp, pubrec, pubrel, subscriber, versions } from '../support/clients.js';
import { group, publish, text } from '../support/packets.js';

const files = { 'policy.yaml': 'rules:\n  - deny: publish\n    topics: ["denied/#"]\n' };
const { port, stop } = await startBroker({ reason_strings: true }, { files });
after(stop);

const reason = group(`1f${text('not authorized to publish')}`);

for (const version of versions) {
  describe(`A PUBLISH of ${nameOf(version)} that is not allowed`, () => {
    it('is acknowledged and not delivered [MQTT3-3.3.5-2] [MQTT-3.4.2-1] [MQTT-3.5.2-1]', async () => {
      const [client, publisher] = [await subscriber(port, version, { '#': 2 }), await connected(port, version)];
      publisher.send(publish(version, 'denied/0', 'x', { retain: true }));
      await ping(publisher);
      publisher.send(publish(version, 'denied/1', 'x', { qos: 1, packetId: 1 }));
      await publisher.expect(version === 5 ? `40 20 0001 87 ${reason}` : '40 02 0001');
      publisher.send(publish(version, 'denied/2', 'x', { qos: 2, packetId: 2 }));
      await publisher.expect(version === 5 ? `50 20 0002 87 ${reason}` : '50 02 0002');
      if (version === 4) {
        publisher.send(pubrel(2));
        assert.equal(await readPacket(publisher), pubcomp(2));
      }
      await ping(client);
      const late = await subscriber(port, version, { 'denied/#': 0 });
      await ping(late);
      for (const each of [client, publisher, late]) each.end();
    });

    it('frees its identifier: the next message that bears it is another one [MQTT-4.3.3-9]', async () => {
      const topic = `allowed/${version}`;
      const [client, publisher] = [await subscriber(port, version, { [topic]: 2 }), await connected(port, version)];
      publisher.send(publish(version, 'denied/x', 'x', { qos: 2, packetId: 7 }));
      assert.match(await readPacket(publisher), /^50..0007/);
      publisher.send(publish(version, topic, 'y', { qos: 2, packetId: 7 }));
      assert.equal(await readPacket(publisher), pubrec(7));
      publisher.send(pubrel(7));
      assert.equal(await readPacket(publisher), pubcomp(7));
      assert.equal(await readPacket(client), publish(version, topic, 'y', { qos: 2 }));
      client.end();
      publisher.end();
    });

    it('ends the connection where the operator wants that [MQTT3-3.3.5-2]', async () => {
      const strict = await startBroker(
        { authorization: { default: 'allow', on_denied_publish: 'disconnect' } },
        { files },
      );
      try {
        for (const qos of [0, 1, 2] as const) {
          const client = await connected(strict.port, version);
          client.send(publish(version, 'denied/x', 'x', { qos }));
          if (version === 5) await client.expect('e0 01 87');
          await client.closed();
        }
      } finally {
        await strict.stop();
      }
    });
  });
}

describe('A reason string is left out', () => {
  const maximumPacketSize = (size: number): string => `27000000${size.toString(16).padStart(2, '0')}`;

  it('of a PUBACK that it would make too large for the client [MQTT-3.4.2-2] [MQTT-3.4.2-3]', async () => {
    for (const [size, answer] of [
      [33, '40 03 0001 87'],
      [34, `40 20 0001 87 ${reason}`],
    ] as const) {
      const client = await connected(port, 5, { properties: maximumPacketSize(size) });
      client.send(publish(5, 'denied/x', 'x', { qos: 1 }));
      await client.expect(answer);
      await ping(client);
      client.end();
    }
  });

  it('of a PUBREC that it would make too large for the client [MQTT-3.5.2-2] [MQTT-3.5.2-3]', async () => {
    for (const [size, answer] of [
      [33, '50 03 0001 87'],
      [34, `50 20 0001 87 ${reason}`],
    ] as const) {
      const client = await connected(port, 5, { properties: maximumPacketSize(size) });
      client.send(publish(5, 'denied/x', 'x', { qos: 2 }));
      await client.expect(answer);
      await ping(client);
      client.end();
    }
  });

  it('of the PUBACK and PUBREC of a client that wants none', async () => {
    const client = await connected(port, 5, { properties: '1700' });
    client.send(publish(5, 'denied/x', 'x', { qos: 1 }) + publish(5, 'denied/x', 'x', { qos: 2, packetId: 2 }));
    await client.expect('40 03 0001 87 50 03 0002 87');
    client.end();
  });

  it('of PUBREL and PUBCOMP, which fit where only five bytes do [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3]', async () => {
    const tight = await startBroker({
      reason_strings: true,
      limits: { profile: 'off', max_keepalive: 65_535 },
    });
    try {
      const client = await connected(tight.port, 5, { properties: maximumPacketSize(9) });
      client.send('50 02 0001 62 02 0002');
      await client.expect('62 03 0001 92 70 03 0002 92');
      client.end();
    } finally {
      await tight.stop();
    }
  });
});
