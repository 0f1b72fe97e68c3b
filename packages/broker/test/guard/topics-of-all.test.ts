import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { decisionBytes } from '../../dist/connection/decision-memory.js';
import { bytesOf } from '../../dist/routing/subscription.js';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { puback, stored } from '../support/clients.js';
import { connectPacket, publish, subscribe, unsubscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

/** The code of a SUBACK of one filter. */
async function suback(client: RawClient, version: 4 | 5, filter: string, qos: 0 | 1 = 0): Promise<string> {
  client.send(subscribe(version, 1, { [filter]: qos }));
  return (await readPacket(client)).slice(-2);
}

describe('The subscriptions of all clients', () => {
  /** Room for five of eight characters, and not for six. */
  const limits = { max_subscription_bytes: 1_024 };

  it('take no more than they may, whoever has them, and what one gives up is free for others', async (t) => {
    const { broker, port, stop } = await startBroker({ limits });
    t.after(stop);
    const [one, other, old] = [await connected(port, 5), await connected(port, 5), await connected(port, 4)];
    for (const filter of ['filtera1', 'filtera2', 'filtera3']) assert.equal(await suback(one, 5, filter), '00');
    for (const filter of ['filterb1', 'filterb2']) assert.equal(await suback(other, 5, filter), '00');
    assert.equal(await suback(other, 5, 'filterb3'), '97');
    assert.equal(await suback(old, 4, 'filterc1'), '80');
    assert.equal(await suback(other, 5, 'filterb2', 1), '01', 'one that exists can be changed');
    const { limitHits, guard, events } = broker.status();
    assert.equal(limitHits.max_subscription_bytes, 2);
    assert.equal(events['limit.subscriptions'], 2);
    assert.equal(guard.topics.subscriptions, 5 * bytesOf('filtera1'));

    one.send('e0 00');
    await waitFor(() => broker.status().guard.topics.subscriptions === 2 * bytesOf('filterb1'));
    assert.equal(await suback(old, 4, 'filterc1'), '00');
    other.send(unsubscribe(5, 2, 'filterb1'));
    assert.equal((await readPacket(other)).slice(0, 2), 'b0');
    assert.equal(broker.status().guard.topics.subscriptions, 2 * bytesOf('filterb2'));
  });

  it('count as long as their session is there, and more the longer they are', async (t) => {
    const { broker, port, stop } = await startBroker({ limits });
    t.after(stop);
    const away = await connected(port, 5, stored(5, 'away'));
    assert.equal(await suback(away, 5, 'a/b/c/d/e'), '00');
    away.send('e0 00');
    await waitFor(() => broker.status().sessionsDisconnected === 1);
    assert.equal(broker.status().guard.topics.subscriptions, bytesOf('a/b/c/d/e'));
    const client = await connected(port, 5);
    assert.equal(await suback(client, 5, 'x'.repeat(300)), '97');
    assert.equal(await suback(client, 5, '/'.repeat(10)), '97');
    assert.equal(await suback(client, 5, 'x'), '00');
  });
});

describe('The topic aliases of all clients', () => {
  const topic = 'x'.repeat(400);
  /** Room for one such topic. */
  const limits = { max_alias_bytes: 1_024, max_topic_length: 400 };
  const aliased = (name: string): string => publish(5, name, 'm', { qos: 1, packetId: 1, properties: '230001' });

  /** A client with what it was told. */
  async function arrive(port: number, properties = ''): Promise<{ client: RawClient; connack: string }> {
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, { properties }));
    return { client, connack: await readPacket(client) };
  }

  it('take no more than they may, either way', async (t) => {
    const { broker, port, stop } = await startBroker({ limits });
    t.after(stop);
    const taken = (): number => broker.status().guard.topics.aliases;
    const { client: reader } = await arrive(port, '22000a');
    assert.equal(await suback(reader, 5, '#'), '00');
    const { client: one, connack } = await arrive(port);
    assert.match(connack, /220020/, 'aliases are offered');
    const other = await connected(port, 5);

    one.send(aliased('y'.repeat(400)));
    assert.equal(await readPacket(one), puback(1));
    const most = taken();
    one.send(aliased(topic));
    assert.equal(await readPacket(one), puback(1));
    assert.equal(taken(), most, 'one that is set anew takes the place of itself');
    for (let message = 0; message < 2; message++) assert.doesNotMatch(await readPacket(reader), /0323/, 'in full');

    other.send(aliased('z'.repeat(400)));
    assert.match(await readPacket(other), /^e0..97/);
    const { connack: later } = await arrive(port);
    assert.doesNotMatch(later, /220020/, 'none are offered');
    assert.equal(broker.status().limitHits.max_alias_bytes, 3);

    one.send('e0 00');
    await waitFor(() => taken() === 0);
    const { client: speaker } = await arrive(port);
    speaker.send(publish(5, topic, 'm'));
    assert.match(await readPacket(reader), /03230001/, 'by an alias');
    assert.equal(taken(), most);
    reader.socket.destroy();
    await waitFor(() => taken() === 0);
  });
});

describe('What the policy decided for all clients', () => {
  /** Room for seven topics of eight characters, and not for eight. */
  const limits = { max_decision_bytes: 1_024 };
  const each = decisionBytes('topic-01');

  /** Has the policy asked about publishing to topics of these numbers. */
  async function ask(client: RawClient, ...numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      client.send(publish(5, `topic-0${number}`, 'm', { qos: 1, packetId: 1 }));
      assert.equal((await readPacket(client)).slice(0, 2), '40');
    }
  }

  it('is forgotten as a whole where there is no room for more, and worked out anew', async (t) => {
    const { broker, port, stop } = await startBroker({ limits });
    t.after(stop);
    const taken = (): number => broker.status().guard.topics.decisions;
    const [one, other] = [await connected(port, 5), await connected(port, 5)];
    await ask(one, 1, 2, 3, 4, 4, 1);
    await ask(other, 1, 2, 3);
    assert.equal(taken(), 7 * each);
    assert.equal(broker.status().limitHits.max_decision_bytes, undefined);
    await ask(other, 4);
    assert.equal(taken(), each);
    assert.equal(broker.status().limitHits.max_decision_bytes, 1);
    await ask(one, 1, 2);
    assert.equal(taken(), 3 * each);
    one.send('e0 00');
    await waitFor(() => taken() === each);
  });

  it('goes with the connection for which it was kept, and with the session', async (t) => {
    const { broker, port, stop } = await startBroker({ limits });
    t.after(stop);
    const taken = (): number => broker.status().guard.topics.decisions;
    const away = await connected(port, 5, stored(5, 'away'));
    await ask(away, 1, 2);
    assert.equal(await suback(away, 5, 'topic-09', 1), '01');
    away.send('e0 00');
    await waitFor(() => taken() === 0);
    const speaker = await connected(port, 5);
    await ask(speaker, 9);
    assert.equal(taken(), 2 * each, 'whether one may publish, and whether the other may receive');
    const back = await connected(port, 5, { clientId: 'away' });
    assert.equal(taken(), each);
    back.socket.destroy();
  });
});
