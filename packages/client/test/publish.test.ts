import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, type ConnectOptions, connect } from '@moat/client';
import { needs } from '@moat/testkit';
import { text } from '@moat/testkit/packets';
import { type Peer, startPeer } from './peer.js';
import { connack, startScripted } from './scripted.js';

describe('A connected client', needs('mosquitto', 'openssl'), () => {
  let peer: Peer;
  let client: Client;
  let options: ConnectOptions;

  before(async () => {
    peer = await startPeer();
    options = { protocol: 'mqtt', port: peer.ports.mqtt, username: 'alice', password: 'secret' };
    client = await connect(options);
  });
  after(async () => {
    await client.close();
    await peer.stop();
  });

  test('a denied publish rejects with the reason code of the broker', async () => {
    // Mosquitto drops the connection afterwards, so the other tests keep theirs.
    const denied = await connect({ ...options, reconnect: false });
    const expected = { code: 'denied', action: 'publish', reasonCode: 0x87, topic: 'closed/x' };
    await assert.rejects(denied.publish('closed/x', 'no', { qos: 1 }), expected);
    await denied.close();
  });

  test('a denied subscription rejects with the reason code of the broker', async () => {
    // Mosquitto grants every subscription.
    const suback = (subscribe: Buffer) => [0x90, 5, ...subscribe.subarray(2, 4), 0, 1, 0x87];
    const { server, port } = await startScripted([connack, suback]);
    const denied = await connect({ protocol: 'mqtt', host: '127.0.0.1', port });
    const expected = { code: 'denied', action: 'subscribe', topic: 'closed/#', reasonCode: 0x87 };
    await assert.rejects(denied.subscribe(['open/#', 'closed/#']), expected);
    assert.equal(denied.connected, true);
    await denied.close(0);
    server.close();
  });

  test('a filter that is subscribed to already is asked for again: what is retained comes, and options count', async () => {
    const topic = 'open/again';
    await client.publish(topic, 'kept', { qos: 1, retain: true });
    const first = await client.subscribe(topic, { qos: 1 });
    const reader = first[Symbol.asyncIterator]();
    assert.equal((await reader.next()).value?.qos, 1);
    const second = await client.subscribe(topic);
    assert.deepEqual([first.grantedQoS, second.grantedQoS], [[1], [0]]);
    for await (const { payload, qos } of second) {
      assert.deepEqual([payload.toString(), qos], ['kept', 0]);
      break;
    }
    await first.unsubscribe();
  });

  for (const filter of ['a/#', 'resubscribe'])
    test(`the options of a subscription to ${filter} are in SUBSCRIBE`, async () => {
      const asked: string[] = [];
      const suback = (subscribe: Buffer) => {
        asked.push(subscribe.subarray(4).toString('hex'));
        return [0x90, 4, ...subscribe.subarray(2, 4), 0, 1];
      };
      const { server, port } = await startScripted([connack, suback]);
      const asking = await connect({ protocol: 'mqtt', host: '127.0.0.1', port });
      const how = { noLocal: true, retainAsPublished: true, retainHandling: 2 } as const;
      await asking.subscribe(filter, { qos: 1, ...how, properties: { subscriptionIdentifier: 5 } });
      assert.deepEqual(asked, [`020b05${text(filter)}2d`]);
      await asking.close(0);
      server.close();
    });

  for (const topic of ['', 'a/+', 'a/#', 'a\0b', '\ud800', 'x'.repeat(65_536)]) {
    test(`publishing to ${JSON.stringify(topic.slice(0, 10))} is refused before it costs the connection`, async () => {
      await assert.rejects(client.publish(topic, ''), { code: 'invalid' });
      assert.equal(client.connected, true);
    });
  }

  for (const filter of ['', 'a/b#', '#/a', 'a+/b', 'a\0']) {
    test(`subscribing to ${JSON.stringify(filter)} is refused before it costs the connection`, async () => {
      await assert.rejects(client.subscribe(filter), { code: 'invalid' });
    });
  }

  test('properties, QoS and bytes arrive as they were sent', async () => {
    const subscription = await client.subscribe('open/properties', { qos: 2 });
    assert.deepEqual(subscription.grantedQoS, [2]);
    const properties = {
      contentType: 'application/octet-stream',
      responseTopic: 'open/answer',
      correlationData: Buffer.from([1, 2]),
      userProperties: { site: 'north' },
    };
    await client.publish('open/properties', new Uint8Array([0, 255]), { qos: 2, properties });
    for await (const message of subscription) {
      assert.deepEqual([...message.payload], [0, 255]);
      assert.equal(message.qos, 2);
      assert.equal(message.properties.contentType, properties.contentType);
      assert.equal(message.properties.responseTopic, properties.responseTopic);
      assert.deepEqual(message.properties.correlationData, properties.correlationData);
      assert.deepEqual({ ...message.properties.userProperties }, { site: 'north' });
      break;
    }
  });

  test('a retained message reaches a later subscriber through its callback', async () => {
    await client.publish('open/retained', 'kept', { qos: 1, retain: true });
    const payload = await new Promise<string>((resolve, reject) => {
      const onMessage = ({ payload, retain }: { payload: Buffer; retain: boolean }) => resolve(`${payload} ${retain}`);
      client.subscribe('open/retained', { onMessage }).catch(reject);
    });
    assert.equal(payload, 'kept true');
  });

  test('one subscription may have several filters', async () => {
    const subscription = await client.subscribe(['open/x/#', 'open/z'], { qos: 1 });
    for (const topic of ['open/x/y', 'open/z']) await client.publish(topic, '', { qos: 1 });
    const seen: string[] = [];
    for await (const { topic } of subscription) if (seen.push(topic) === 2) break;
    assert.deepEqual(seen, ['open/x/y', 'open/z']);
  });

  test('a loop over messages ends when its subscription does', async () => {
    const subscription = await client.subscribe('open/loop', { qos: 1 });
    await client.publish('open/loop', '1', { qos: 1 });
    await client.publish('open/loop', '2', { qos: 1 });
    const seen: string[] = [];
    for await (const message of subscription) {
      seen.push(message.payload.toString());
      if (seen.length === 2) await subscription.unsubscribe();
    }
    assert.deepEqual(seen, ['1', '2']);
  });

  test('a reader that lags gets every message in order, and a reader that publishes does not wait for itself', async () => {
    const count = 5000;
    const reader = await connect(options);
    const subscription = await reader.subscribe('open/flood', { qos: 1 });
    await Promise.all(Array.from({ length: count }, (_, n) => client.publish('open/flood', String(n), { qos: 1 })));
    let next = 0;
    for await (const message of subscription) {
      assert.equal(message.payload.toString(), String(next));
      if (next % 500 === 0) await reader.publish('open/progress', String(next), { qos: 1 });
      next += 1;
      if (next === count) break;
    }
    assert.equal(next, count);
    await reader.close();
  });
});
