import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { type ConnectFields, connectPacket, publish, subscribe, type Version } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

let names = 0;
const freshName = (): string => `session${++names}`;

/** Connects and tells whether the session was present. */
async function open(version: Version, fields: ConnectFields): Promise<{ client: RawClient; present: boolean }> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(version, fields));
  const connack = await readPacket(client);
  assert.match(connack, version === 5 ? /^20..0[01]00/ : /^20020[01]00$/);
  return { client, present: connack.slice(4, 6) === '01' };
}

async function leave(client: RawClient): Promise<void> {
  client.send('e000');
  await client.closed();
}

/** CONNECT fields of a session that is kept. */
const kept = (version: Version, clientId: string): ConnectFields => ({
  clientId,
  cleanStart: false,
  ...(version === 5 ? { properties: '11 0000012c' } : {}),
});

async function subscribed(client: RawClient, version: Version, filter: string, qos = 1): Promise<void> {
  client.send(subscribe(version, 1, { [filter]: qos }));
  assert.match(await readPacket(client), /^90/);
}

/** Publishes and waits until the broker has it. */
async function send(topic: string, ...payloads: string[]): Promise<void> {
  const publisher = await connected(port, 4);
  for (const payload of payloads) publisher.send(publish(4, topic, payload, { qos: 1, packetId: 1 }));
  for (const _ of payloads) await publisher.expect('40 02 0001');
  await leave(publisher);
}

for (const version of [4, 5] as const) {
  describe(`A session in ${version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1'}`, () => {
    it('is made where there was none, and resumed where there was one [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.2-23] [MQTT-3.2.2-3] [MQTT3-3.1.2-4] [MQTT3-3.2.2-2] [MQTT3-3.2.2-3]', async () => {
      const fields = kept(version, freshName());
      const first = await open(version, fields);
      assert.equal(first.present, false);
      await leave(first.client);
      const second = await open(version, fields);
      assert.equal(second.present, true);
      second.client.end();
    });

    it('keeps its subscriptions and what they match while its client is away [MQTT-3.1.2-5] [MQTT-4.5.0-1] [MQTT3-3.1.2-5] [MQTT3-4.1.0-1]', async () => {
      const fields = kept(version, freshName());
      const topic = freshName();
      const { client } = await open(version, fields);
      await subscribed(client, version, topic);
      await leave(client);
      await send(topic, 'one', 'two');
      const { client: again } = await open(version, fields);
      for (const [index, payload] of ['one', 'two'].entries()) {
        again.send(`40 02 000${index + 1}`);
        await again.expect(publish(version, topic, payload, { qos: 1, packetId: index + 1 }));
      }
      await send(topic, 'three');
      assert.match(await readPacket(again), /7468726565$/);
      again.end();
    });

    it('is that of the client identifier, from wherever it comes [MQTT-3.1.3-2]', async () => {
      const name = freshName();
      const { client } = await open(version, kept(version, name));
      await leave(client);
      const other = await open(version, kept(version, `${name}x`));
      const same = await open(version, kept(version, name));
      assert.deepEqual([other.present, same.present], [false, true]);
      other.client.end();
      same.client.end();
    });

    it('is discarded by a clean start, subscriptions, messages and all [MQTT-3.1.2-4] [MQTT-3.1.4-4] [MQTT-3.2.2-2] [MQTT3-3.1.2-6] [MQTT3-3.1.4-3]', async () => {
      const fields = kept(version, freshName());
      const topic = freshName();
      const { client } = await open(version, fields);
      await subscribed(client, version, topic);
      await leave(client);
      await send(topic, 'old');
      const clean = await open(version, { ...fields, cleanStart: true });
      assert.equal(clean.present, false);
      await send(topic, 'new');
      await ping(clean.client);
      await leave(clean.client);
      const after = await open(version, fields);
      assert.equal(after.present, version === 5);
      await send(topic, 'newer');
      await ping(after.client);
      after.client.end();
    });

    it('that is not to be kept ends with its connection [MQTT-4.1.0-1] [MQTT-4.1.0-2] [MQTT3-3.1.2-6]', async () => {
      const clientId = freshName();
      const topic = freshName();
      const { client } = await open(version, { clientId });
      await subscribed(client, version, topic, 2);
      client.send(publish(version, topic, 'x', { qos: 2, packetId: 5 }));
      await client.expect('50 02 0005');
      client.send('62 02 0005');
      const packets = [await readPacket(client), await readPacket(client)].sort();
      assert.deepEqual(packets, [publish(version, topic, 'x', { qos: 2, packetId: 1 }), '70020005'].sort());
      await leave(client);
      assert.equal((await open(version, kept(version, clientId))).present, false);
    });
  });

  describe(`A second connection of a client in ${version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1'}`, () => {
    for (const older of [4, 5] as const) {
      it(`ends the first, of ${older === 5 ? '5.0' : '3.1.1'}, and has its session [MQTT-3.1.4-3] [MQTT-3.2.2-3] [MQTT3-3.1.4-2]`, async () => {
        const name = freshName();
        const topic = freshName();
        const first = await open(older, kept(older, name));
        await subscribed(first.client, older, topic);
        const second = await open(version, kept(version, name));
        if (older === 5) await first.client.expect('e0 01 8e');
        await first.client.closed();
        assert.equal(second.present, true);
        await ping(second.client);
        await send(topic, 'x');
        assert.equal(await readPacket(second.client), publish(version, topic, 'x', { qos: 1, packetId: 1 }));
        second.client.end();
      });
    }

    it('with a clean start has a new session [MQTT-3.1.4-4] [MQTT-3.2.2-2] [MQTT3-3.1.4-3]', async () => {
      const name = freshName();
      const topic = freshName();
      const first = await open(version, kept(version, name));
      await subscribed(first.client, version, topic);
      const second = await open(version, { ...kept(version, name), cleanStart: true });
      assert.equal(second.present, false);
      if (version === 5) await first.client.expect('e0 01 8e');
      await first.client.closed();
      await send(topic, 'x');
      await ping(second.client);
      second.client.end();
    });

    it('finds no session where the first was not to be kept [MQTT-3.2.2-3]', async () => {
      const name = freshName();
      const first = await open(version, { clientId: name });
      const second = await open(version, kept(version, name));
      assert.equal(second.present, false);
      if (version === 5) await first.client.expect('e0 01 8e');
      await first.client.closed();
      second.client.end();
    });
  });
}

describe('Session Present', () => {
  it('is not said to a client of MQTT 3.1, whose session is resumed all the same', async () => {
    const fields = { clientId: freshName(), cleanStart: false };
    const topic = freshName();
    const { client } = await open(3, fields);
    await subscribed(client, 3, topic);
    await leave(client);
    await send(topic, 'x');
    const again = await open(3, fields);
    assert.equal(again.present, false);
    assert.equal(await readPacket(again.client), publish(3, topic, 'x', { qos: 1, packetId: 1 }));
    again.client.end();
  });

  it('is 0 though clean starts and kept sessions take turns, and no subscription comes back [MQTT3-3.1.2-6]', async () => {
    const name = freshName();
    const topic = freshName();
    const { client } = await open(4, kept(4, name));
    await subscribed(client, 4, topic);
    await leave(client);
    await leave((await open(4, { clientId: name })).client);
    const last = await open(4, kept(4, name));
    assert.equal(last.present, false);
    await send(topic, 'x');
    await ping(last.client);
    last.client.end();
  });
});

describe('The state of a session that is away', () => {
  it('holds QoS 1 and 2 messages, and those of QoS 0 are not kept [MQTT3-3.1.2-5]', async () => {
    const fields = kept(4, freshName());
    const topic = freshName();
    const { client } = await open(4, fields);
    await subscribed(client, 4, topic, 2);
    await leave(client);
    const publisher = await connected(port, 4);
    publisher.send(publish(4, topic, '0'));
    publisher.send(publish(4, topic, '1', { qos: 1, packetId: 1 }));
    publisher.send(`${publish(4, topic, '2', { qos: 2, packetId: 2 })} 62 02 0002`);
    await publisher.expect('40 02 0001 50 02 0002 70 02 0002');
    publisher.end();
    const again = await open(4, fields);
    await again.client.expect(publish(4, topic, '1', { qos: 1, packetId: 1 }));
    await again.client.expect(publish(4, topic, '2', { qos: 2, packetId: 2 }));
    await ping(again.client);
    again.client.end();
  });

  it('does not hold what is retained: that outlives the session of its publisher [MQTT3-3.1.2-7]', async () => {
    const topic = freshName();
    const publisher = await connected(port, 4);
    publisher.send(publish(4, topic, 'kept', { qos: 1, retain: true }));
    await publisher.expect('40 02 0001');
    await leave(publisher);
    const { client } = await open(4, { clientId: freshName() });
    await subscribed(client, 4, topic, 0);
    await client.expect(publish(4, topic, 'kept', { retain: true }));
    client.end();
  });
});
