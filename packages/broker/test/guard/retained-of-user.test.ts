import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { connected, ping, readPacket } from '../support/broker.js';
import { puback, pubcomp, pubrec, pubrel } from '../support/clients.js';
import { engines, type Lives, lives } from '../support/lives.js';
import { type ConnectFields, publish, will } from '../support/packets.js';

const users = ['anna', 'bert'];
const as = (username: string, more: ConnectFields = {}): ConnectFields => ({
  clientId: username,
  username,
  password: 'pw',
  ...more,
});

/** What a client is answered to a retained message of so many bytes, the topic's own among them. */
async function answerTo(
  { port }: Lives,
  user: string,
  topic: string,
  bytes: number,
  version: 4 | 5 = 5,
): Promise<string> {
  const client = await connected(port, version, as(user));
  const payload = 'x'.repeat(bytes === 0 ? 0 : bytes - topic.length);
  client.send(publish(version, topic, payload, { qos: 1, retain: true, packetId: 1 }));
  const answer = await readPacket(client);
  client.end();
  return answer;
}

const refused = '4003000197';
const nobodyListens = '4003000110';

describe('Retained messages of one user', () => {
  for (const engine of engines) {
    it(`are so many, and so many bytes, at the limit and not above it, across restarts (${engine})`, async (t) => {
      const limits = { max_retained_messages_per_user: 3, max_retained_bytes_per_user: 100 };
      const broker = await lives(t, engine, { authentication: { allow_anonymous: false }, limits }, { users });
      const annas = (topic: string, bytes: number) => answerTo(broker, 'anna', topic, bytes);
      assert.equal(await annas('a', 60), nobodyListens);
      assert.equal(await annas('b', 41), refused);
      assert.equal(await annas('b', 40), nobodyListens);
      assert.equal(await answerTo(broker, 'bert', 'c', 100), nobodyListens);
      await broker.restart();
      assert.equal(await annas('d', 2), refused);
      assert.equal(await annas('b', 41), refused);
      assert.equal(await annas('a', 58), nobodyListens);
      assert.equal(await annas('d', 2), nobodyListens);
      assert.equal(await annas('b', 10), nobodyListens);
      assert.equal(await annas('e', 2), refused); // three are all, whatever bytes are left
      await broker.restart();
      assert.equal(await annas('e', 2), refused);
      assert.equal(await answerTo(broker, 'bert', 'a', 2), refused);
      await annas('d', 0);
      assert.equal(await annas('e', 2), nobodyListens);
      assert.deepEqual(broker.broker.status().retained, { messages: 4, bytes: 58 + 10 + 100 + 2 });
      assert.equal(broker.broker.status().events['limit.retained'], 2);
      const [first] = broker.events.filter(({ event }) => event === 'limit.retained');
      assert.deepEqual(
        [first?.['username'], first?.['topic'], first?.['reason']],
        ['anna', 'b', 'no room for another retained message: max_retained_bytes_per_user'],
      );
    });
  }

  it('above the limit are acknowledged before 5.0, and neither kept nor delivered', async (t) => {
    const limits = { max_retained_messages_per_user: 1 };
    const broker = await lives(t, 'memory', { limits });
    const client = await connected(broker.port, 4);
    for (const [index, topic] of ['a', 'b'].entries()) {
      client.send(publish(4, topic, 'x', { qos: 1, retain: true, packetId: index + 1 }));
      assert.equal(await readPacket(client), puback(index + 1));
    }
    client.send(publish(4, 'c', 'x', { qos: 2, retain: true, packetId: 3 }));
    assert.equal(await readPacket(client), pubrec(3));
    client.send(pubrel(3));
    assert.equal(await readPacket(client), pubcomp(3));
    client.end();
    assert.equal(broker.broker.status().retained.messages, 1);
    assert.equal(broker.broker.status().events['limit.retained'], 2);
  });

  it('are wills too: one without room is delivered, and not kept', async (t) => {
    const broker = await lives(t, 'memory', { limits: { max_retained_messages_per_user: 0 } });
    const watcher = await connected(broker.port, 5);
    watcher.send('82 07 0001 00 0001 77 00');
    assert.equal(await readPacket(watcher), '900400010000');
    const dying = await connected(broker.port, 5, { will: will(5, 'w', 'gone', { retain: true }) });
    dying.end();
    assert.equal(await readPacket(watcher), publish(5, 'w', 'gone'));
    await ping(watcher);
    watcher.end();
    await waitFor(() => broker.broker.status().events['limit.retained'] === 1);
    assert.equal(broker.broker.status().retained.messages, 0);
  });
});
