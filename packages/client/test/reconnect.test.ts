import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type ConnectOptions, connect, type Message } from '@moat/client';
import { freePort, launchMosquitto, type Mosquitto, needs } from '@moat/testkit';
import { connack, startScripted } from './scripted.js';

describe('A lost connection', needs('mosquitto'), () => {
  let directory = '';
  let options: ConnectOptions;
  let lines: string[] = [];
  let broker: Mosquitto;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'moat-client-'));
    const port = await freePort();
    lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true'];
    options = { protocol: 'mqtt', port, reconnect: { minimum: 20, maximum: 100 } };
    broker = await launchMosquitto(directory, lines);
  });
  afterEach(async () => {
    await broker.kill();
    await rm(directory, { recursive: true });
  });

  test('after the broker restarts, subscriptions are made again and unacknowledged messages are sent', async () => {
    const client = await connect(options);
    const subscription = await client.subscribe('a/#', { qos: 1 });
    const disconnected = once(client, 'disconnected');
    await broker.kill();
    const [, delay] = (await disconnected) as [Error, number];
    assert.ok(delay >= 10 && delay <= 20, `waits between half and all of the minimum, not ${delay} ms`);
    // Published while the broker is down: it leaves with the next connection.
    const published = client.publish('b/1', 'kept', { qos: 1 });
    const connected = once(client, 'connected');
    broker = await launchMosquitto(directory, lines);
    await connected;
    await published;
    const echo = await client.subscribe('a/echo', { qos: 1 });
    await client.publish('a/echo', 'back', { qos: 1 });
    for (const reading of [subscription, echo]) {
      for await (const message of reading) {
        assert.equal(message.payload.toString(), 'back');
        break;
      }
    }
    await client.close();
  });

  test('what was left while the broker was away is not subscribed to again', async () => {
    const unmatched: Message[] = [];
    const client = await connect({ ...options, onUnmatched: (message) => unmatched.push(message) });
    const left = await client.subscribe('left/#', { qos: 1 });
    const kept = await client.subscribe('kept/#', { qos: 1 });
    const disconnected = once(client, 'disconnected');
    await broker.kill();
    await disconnected;
    await left.unsubscribe();
    const connected = once(client, 'connected');
    broker = await launchMosquitto(directory, lines);
    await connected;
    for (const topic of ['left/1', 'kept/1']) await client.publish(topic, '', { qos: 1 });
    for await (const { topic } of kept) {
      assert.equal(topic, 'kept/1');
      break;
    }
    assert.deepEqual(unmatched, []);
    await client.close();
  });

  test('of a subscription that is denied in part nothing is left', async () => {
    let resolve: (packet: string) => void = () => {};
    const promise = new Promise<string>((settle) => {
      resolve = settle;
    });
    const { server, port } = await startScripted([
      connack,
      (packet) => [0x90, 5, packet[2] ?? 0, packet[3] ?? 0, 0, 1, 0x87],
      (packet) => {
        resolve(packet.toString('latin1'));
        return [0xb0, 5, packet[2] ?? 0, packet[3] ?? 0, 0, 0, 0x11];
      },
    ]);
    const client = await connect({ ...options, host: '127.0.0.1', port });
    await assert.rejects(client.subscribe(['a/granted', 'a/denied'], { qos: 1 }), { code: 'denied', reasonCode: 0x87 });
    assert.match(await promise, /^\xa2.*a\/granted/s);
    await client.close();
    server.close();
  });

  test('a client whose session is taken over stops, rather than taking it back for ever', async () => {
    // Debian's Mosquitto closes without DISCONNECT 0x8E.
    const { server, port } = await startScripted([connack, () => [0xe0, 2, 0x8e, 0]]);
    const client = await connect({ ...options, host: '127.0.0.1', port });
    const closed = once(client, 'closed');
    const lost = { code: 'closed', reasonCode: 0x8e };
    await assert.rejects(client.subscribe('a'), lost);
    assert.equal((await closed)[0].reasonCode, lost.reasonCode);
    await assert.rejects(client.publish('a', ''), lost);
    server.close();
  });

  test('a loop over messages throws when the connection is lost for good', async () => {
    const client = await connect({ ...options, reconnect: false });
    const subscription = await client.subscribe('a');
    const thrown = assert.rejects(subscription[Symbol.asyncIterator]().next(), { code: 'closed' });
    await broker.kill();
    await thrown;
  });

  test('a client that may not reconnect ends with its connection, and so does all that waits', async () => {
    const client = await connect({ ...options, reconnect: false });
    const closed = once(client, 'closed');
    await broker.kill();
    await closed;
    await assert.rejects(client.publish('a', '', { qos: 1 }), (error: { code: string }) => error.code !== 'denied');
  });

  test('what waits for a broker that is gone is rejected when the client is closed', async () => {
    const client = await connect(options);
    const disconnected = once(client, 'disconnected');
    await broker.kill();
    await disconnected;
    const published = assert.rejects(client.publish('a', '', { qos: 1 }), { code: 'closed' });
    await client.close(10);
    await published;
  });

  test('a client told to keep trying connects once the broker is there', async () => {
    await broker.kill();
    const connecting = connect({ ...options, retryFirst: true });
    broker = await launchMosquitto(directory, lines);
    const client = await connecting;
    assert.equal(client.connected, true);
    await client.close();
  });

  test('the will is sent when the client is lost, and not when it closes', async () => {
    const watcher = await connect(options);
    const wills = await watcher.subscribe('will/+', { qos: 1 });
    const will = (name: string) => ({ will: { topic: `will/${name}`, payload: 'lost', qos: 1 as const } });
    const polite = await connect({ ...options, ...will('polite') });
    await polite.close();
    const robbed = await connect({ ...options, ...will('robbed'), clientId: 'x' });
    const thief = await connect({ ...options, clientId: 'x' });
    for await (const message of wills) {
      assert.equal(message.topic, 'will/robbed');
      break;
    }
    await Promise.all([robbed.close(), thief.close(), watcher.close()]);
  });

  test('messages of a resumed session that come before any subscription are not lost', async () => {
    const lasting = { ...options, clientId: 'lasting', cleanStart: false, properties: { sessionExpiryInterval: 60 } };
    const first = await connect(lasting);
    await first.subscribe('kept/#', { qos: 1 });
    await first.close();
    const publisher = await connect(options);
    await publisher.publish('kept/1', 'while away', { qos: 1 });
    await publisher.close();
    const message = await new Promise<Message>((resolve, reject) => {
      connect({ ...lasting, onUnmatched: resolve }).then((client) => client.close(), reject);
    });
    assert.equal(message.payload.toString(), 'while away');
  });
});
