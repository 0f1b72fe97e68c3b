import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { stored, subscriber } from '../support/clients.js';
import { connectPacket, hex, publish, subscribe, unsubscribe, type Version } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `shared/${++topics}`;

/** Clients that are subscribed to `filter`, in this order. */
async function members(count: number, version: Version, filter: string, qos = 0): Promise<RawClient[]> {
  const found: RawClient[] = [];
  for (let member = 0; member < count; member++) {
    const client = await connected(port, version);
    client.send(subscribe(version, 1, { [filter]: qos }));
    assert.match(await readPacket(client), new RegExp(`${hex(qos, 1)}$`));
    found.push(client);
  }
  return found;
}

function endAll(...clients: readonly RawClient[]): void {
  for (const client of clients) client.end();
}

for (const version of [4, 5] as const) {
  describe(`A shared subscription in ${version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1'}`, () => {
    it('deals its messages out in turn, and an ordinary subscription gets all of them', async () => {
      const topic = freshTopic();
      const dealt = await members(3, version, `$share/g/${topic}`);
      const [all, publisher] = [...(await members(1, version, topic)), await connected(port, version)];
      for (let message = 0; message < 9; message++) publisher?.send(publish(version, topic, `${message}`));
      for (let message = 0; message < 9; message++) {
        assert.equal(await readPacket(dealt[message % 3] as RawClient), publish(version, topic, `${message}`));
        assert.equal(await readPacket(all as RawClient), publish(version, topic, `${message}`));
      }
      for (const client of dealt) await ping(client);
      endAll(...dealt, all as RawClient, publisher as RawClient);
    });

    it('deals out what comes in one write as fairly', async () => {
      const topic = freshTopic();
      const dealt = await members(2, version, `$share/g/${topic}`);
      const publisher = await connected(port, version);
      publisher.send(Array.from({ length: 10 }, (_, message) => publish(version, topic, `${message}`)).join(''));
      for (let message = 0; message < 10; message++)
        assert.equal(await readPacket(dealt[message % 2] as RawClient), publish(version, topic, `${message}`));
      endAll(...dealt, publisher);
    });

    it('of each name gets every message, and each filter is a subscription of its own', async () => {
      const topic = freshTopic();
      const [one] = await members(1, version, `$share/one/${topic}`);
      const [two] = await members(1, version, `$share/two/${topic}`);
      const [wild] = await members(1, version, '$share/one/shared/#');
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'x'));
      for (const client of [one, two, wild])
        assert.equal(await readPacket(client as RawClient), publish(version, topic, 'x'));
      publisher.send(publish(version, `${topic}/below`, 'y'));
      assert.equal(await readPacket(wild as RawClient), publish(version, `${topic}/below`, 'y'));
      await ping(one as RawClient);
      endAll(one as RawClient, two as RawClient, wild as RawClient, publisher);
    });

    it('and an ordinary one of the same filter come and go apart [MQTT-3.10.4-1]', async () => {
      const topic = freshTopic();
      const client = await connected(port, version);
      client.send(subscribe(version, 1, { [topic]: 0, [`$share/g/${topic}`]: 0 }));
      await readPacket(client);
      client.send(publish(version, topic, 'x'));
      assert.equal(await readPacket(client), publish(version, topic, 'x'));
      assert.equal(await readPacket(client), publish(version, topic, 'x'));
      client.send(unsubscribe(version, 2, topic));
      await client.expect(version === 5 ? 'b0 04 0002 00 00' : 'b0 02 0002');
      client.send(publish(version, topic, 'y'));
      assert.equal(await readPacket(client), publish(version, topic, 'y'));
      client.send(unsubscribe(version, 3, `$share/g/${topic}`));
      await client.expect(version === 5 ? 'b0 04 0003 00 00' : 'b0 02 0003');
      client.send(publish(version, topic, 'z'));
      await ping(client);
      client.end();
    });

    it('sends no retained message when it is made', async () => {
      const topic = freshTopic();
      const client = await connected(port, version);
      client.send(publish(version, topic, 'kept', { retain: true }));
      client.send(subscribe(version, 1, { [`$share/g/${topic}`]: 0 }));
      await readPacket(client);
      await ping(client);
      client.end();
    });

    it('delivers at the QoS of the member that gets the message [MQTT-4.8.2-3]', async () => {
      const topic = freshTopic();
      const filter = `$share/g/${topic}`;
      const dealt = [
        ...(await members(1, version, filter, 0)),
        ...(await members(1, version, filter, 1)),
        ...(await members(1, version, filter, 2)),
      ];
      const publisher = await connected(port, version);
      for (let packetId = 1; packetId <= 3; packetId++) {
        publisher.send(publish(version, topic, 'x', { qos: 2, packetId }));
        publisher.send(`62 02 ${hex(packetId, 2)}`);
      }
      for (const [qos, client] of dealt.entries())
        assert.equal(await readPacket(client), publish(version, topic, 'x', { qos: qos as 0 | 1 | 2 }));
      endAll(...dealt, publisher);
    });

    it('passes over a member that has left', async () => {
      const topic = freshTopic();
      const [stays, leaves] = (await members(2, version, `$share/g/${topic}`)) as [RawClient, RawClient];
      const publisher = await connected(port, version);
      leaves.send('e000');
      await leaves.closed();
      for (let message = 0; message < 4; message++) {
        publisher.send(publish(version, topic, `${message}`));
        assert.equal(await readPacket(stays), publish(version, topic, `${message}`));
      }
      endAll(stays, publisher);
    });

    it('gives what a member did not acknowledge at QoS 1 to another when its session ends', async () => {
      const topic = freshTopic();
      const [stays, leaves] = (await members(2, version, `$share/g/${topic}`, 1)) as [RawClient, RawClient];
      const publisher = await connected(port, version);
      for (const message of ['a', 'b']) publisher.send(publish(version, topic, message, { qos: 1 }));
      assert.equal(await readPacket(stays), publish(version, topic, 'a', { qos: 1 }));
      assert.equal(await readPacket(leaves), publish(version, topic, 'b', { qos: 1 }));
      leaves.end();
      assert.equal(await readPacket(stays), publish(version, topic, 'b', { qos: 1, packetId: 2 }));
      endAll(stays, publisher);
    });

    it('gives it when another connection begins its session anew, which is answered behind that', async () => {
      const topic = freshTopic();
      const fields = stored(version, topic);
      const first = await subscriber(port, version, { [`$share/g/${topic}`]: 1 }, fields);
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'a', { qos: 1 }));
      assert.equal(await readPacket(first), publish(version, topic, 'a', { qos: 1 }));
      const [other] = (await members(1, version, `$share/g/${topic}`, 1)) as [RawClient];
      const second = await RawClient.connect(port);
      second.send(connectPacket(version, { ...fields, cleanStart: true }));
      if (version === 5) await first.expect('e0 01 8e');
      await first.closed();
      assert.equal(await readPacket(other), publish(version, topic, 'a', { qos: 1 }));
      assert.match(await readPacket(second), /^20..00/);
      await ping(second);
      endAll(second, other, publisher);
    });

    it('gives it then to one that has subscribed since it was published, and did not before', async () => {
      const topic = freshTopic();
      const [leaves] = (await members(1, version, `$share/g/${topic}`, 1)) as [RawClient];
      const [publisher, late] = [await connected(port, version), await connected(port, version)];
      publisher.send(publish(version, topic, 'a', { qos: 1 }));
      assert.equal(await readPacket(leaves), publish(version, topic, 'a', { qos: 1 }));
      late.send(subscribe(version, 1, { [`$share/g/${topic}`]: 1 }));
      await readPacket(late);
      await ping(late);
      leaves.end();
      assert.equal(await readPacket(late), publish(version, topic, 'a', { qos: 1 }));
      endAll(late, publisher);
    });

    it('does not give a QoS 2 message that a member was sent to another when its session ends [MQTT-4.8.2-5]', async () => {
      const topic = freshTopic();
      const [stays, leaves] = (await members(2, version, `$share/g/${topic}`, 2)) as [RawClient, RawClient];
      const publisher = await connected(port, version);
      for (const packetId of [1, 2]) {
        publisher.send(publish(version, topic, `${packetId}`, { qos: 2, packetId }));
        publisher.send(`62 02 ${hex(packetId, 2)}`);
      }
      assert.equal(await readPacket(stays), publish(version, topic, '1', { qos: 2 }));
      assert.equal(await readPacket(leaves), publish(version, topic, '2', { qos: 2 }));
      leaves.send('e000');
      await leaves.closed();
      await ping(stays);
      publisher.send(publish(version, topic, 'next', { qos: 0 }));
      assert.equal(await readPacket(stays), publish(version, topic, 'next'));
      endAll(stays, publisher);
    });

    it('completes a QoS 2 delivery to the member that it was begun to, when that comes back [MQTT-4.8.2-4]', async () => {
      const topic = freshTopic();
      const filter = `$share/g/${topic}`;
      const fields = {
        clientId: `comes-back-${version}`,
        cleanStart: false,
        ...(version === 5 ? { properties: '11 0000003c' } : {}),
      };
      const leaves = await connected(port, version, fields);
      leaves.send(subscribe(version, 1, { [filter]: 2 }));
      await readPacket(leaves);
      const publisher = await connected(port, version);
      publisher.send(`${publish(version, topic, 'x', { qos: 2 })}62020001`);
      assert.equal(await readPacket(leaves), publish(version, topic, 'x', { qos: 2 }));
      const [other] = (await members(1, version, filter, 2)) as [RawClient];
      leaves.end();
      const back = await connected(port, version, fields);
      assert.equal(await readPacket(back), publish(version, topic, 'x', { qos: 2, dup: true }));
      back.send('50 02 0001');
      await back.expect('62 02 0001');
      back.send('70 02 0001');
      await ping(back);
      await ping(other);
      endAll(back, other, publisher);
    });
  });
}

describe('A shared subscription in MQTT 5.0', () => {
  it('gives a message that a member refused to nobody else [MQTT-4.8.2-6]', async () => {
    for (const qos of [1, 2] as const) {
      const topic = freshTopic();
      const [other, refuses] = (await members(2, 5, `$share/g/${topic}`, qos)) as [RawClient, RawClient];
      const publisher = await connected(port, 5);
      publisher.send(publish(5, topic, 'a', { qos, packetId: 1 }) + (qos === 2 ? '62020001' : ''));
      publisher.send(publish(5, topic, 'b', { qos, packetId: 2 }) + (qos === 2 ? '62020002' : ''));
      assert.equal(await readPacket(other), publish(5, topic, 'a', { qos }));
      assert.equal(await readPacket(refuses), publish(5, topic, 'b', { qos }));
      refuses.send(`${qos === 1 ? '40' : '50'} 03 0001 80`);
      await ping(refuses);
      await ping(other);
      refuses.send('e000');
      await refuses.closed();
      await ping(other);
      endAll(other, publisher);
    }
  });

  it('marks its messages with its own subscription identifier only [MQTT-3.3.4-5]', async () => {
    const topic = freshTopic();
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { [`$share/g/${topic}`]: 0 }, '0b05') + subscribe(5, 2, { [topic]: 0 }, '0b06'));
    await client.expect('90 04 0001 00 00 90 04 0002 00 00');
    client.send(publish(5, topic, 'x'));
    const received = [await readPacket(client), await readPacket(client)].sort();
    assert.deepEqual(
      received,
      ['0b05', '0b06'].map((properties) => publish(5, topic, 'x', { properties })),
    );
    await ping(client);
    client.end();
  });

  it('keeps what no member is there to take for the members whose session lives on', async () => {
    const topic = freshTopic();
    const fields = { clientId: 'away', cleanStart: false, properties: '11 0000003c' };
    const [away, publisher] = [await connected(port, 5, fields), await connected(port, 5)];
    away.send(subscribe(5, 1, { [`$share/g/${topic}`]: 1 }));
    await readPacket(away);
    away.send('e000');
    await away.closed();
    publisher.send(publish(5, topic, 'x', { qos: 1 }));
    await publisher.expect('40 02 0001');
    const back = await connected(port, 5, fields);
    assert.equal(await readPacket(back), publish(5, topic, 'x', { qos: 1 }));
    endAll(back, publisher);
  });

  it('passes a member over whose receive maximum is used up, while another can take the message', async () => {
    const topic = freshTopic();
    const filter = `$share/g/${topic}`;
    const narrow = await connected(port, 5, { properties: '21 0001' });
    narrow.send(subscribe(5, 1, { [filter]: 1 }));
    await readPacket(narrow);
    const [wide] = (await members(1, 5, filter, 1)) as [RawClient];
    const publisher = await connected(port, 5);
    for (let message = 1; message <= 4; message++)
      publisher.send(publish(5, topic, `${message}`, { qos: 1, packetId: message }));
    assert.equal(await readPacket(narrow), publish(5, topic, '1', { qos: 1 }));
    for (const [index, message] of ['2', '3', '4'].entries())
      assert.equal(await readPacket(wide), publish(5, topic, message, { qos: 1, packetId: index + 1 }));
    endAll(narrow, wide, publisher);
  });
});
