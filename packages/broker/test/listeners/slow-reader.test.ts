import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { waitFor } from '@moat/testkit';
import { connected, ping, readPacket, startBroker, type TestBroker } from '../support/broker.js';
import { connectPacket, hex, publish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const payload = 'x'.repeat(65_536);
/** More than the kernel's buffers on both sides and the broker's for one client take together. */
const messages = 256;

async function start(t: TestContext, stuckTimeout: number): Promise<TestBroker> {
  const running = await startBroker({
    limits: {
      max_outgoing_buffer: 1_048_576,
      max_queued_bytes: 64 * 1_048_576,
      max_inflight_messages: 10,
      stuck_timeout: stuckTimeout,
    },
  });
  t.after(running.stop);
  return running;
}

/** A subscriber that reads nothing, not even its CONNACK. */
async function blindSubscriber({ broker, port }: TestBroker, topic: string, qos: number): Promise<Socket> {
  const before = broker.status().subscriptions;
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.pause();
  socket.write(Buffer.from(connectPacket(4) + subscribe(4, 1, { [topic]: qos }), 'hex'));
  await waitFor(() => broker.status().subscriptions > before, { what: 'the subscription' });
  return socket;
}

describe('A subscriber that does not read', () => {
  it('loses QoS 0 messages, which are counted, then its connection; others notice nothing', async (t) => {
    const running = await start(t, 1);
    const { broker, port } = running;
    const [reader, publisher] = [await connected(port, 4), await connected(port, 4)];
    reader.send(subscribe(4, 1, { big: 0 }));
    await readPacket(reader);
    const blind = await blindSubscriber(running, 'big', 0);
    for (let message = 0; message < messages; message++) {
      publisher.send(publish(4, 'big', `${message} ${payload}`));
      const received = await readPacket(reader);
      assert.ok(received.includes(Buffer.from(`${message} x`).toString('hex')), `message ${message}`);
    }
    assert.ok(broker.status().dropped.slow_reader > 0);
    await waitFor(() => broker.status().events['limit.slow_reader'] === 1, { what: 'the slow reader to be closed' });
    await waitFor(() => broker.status().connections === 2);
    await ping(reader);
    for (const client of [reader, publisher]) client.end();
    blind.destroy();
  });

  it('loses no QoS 1 message: they wait in its queue until it reads again', async (t) => {
    const running = await start(t, 3_600);
    const { broker, port } = running;
    const blind = await blindSubscriber(running, 'big', 1);
    const publisher = await connected(port, 4);
    for (let message = 1; message <= messages; message++) {
      publisher.send(publish(4, 'big', `${message} ${payload}`, { qos: 1, packetId: message }));
      await publisher.expect(`4002${hex(message, 2)}`);
    }
    assert.equal(broker.status().dropped.queue_full, 0);
    const client = RawClient.over(blind);
    blind.resume();
    await client.expect('20020000 9003000101');
    for (let message = 1; message <= messages; message++) {
      const received = await readPacket(client);
      assert.ok(received.includes(Buffer.from(`${message} x`).toString('hex')), `message ${message}`);
      client.send(`4002${hex(message, 2)}`);
    }
    await ping(client);
    assert.equal(broker.status().dropped.slow_reader, 0);
    for (const one of [client, publisher]) one.end();
  });

  it('is told nothing and kept when it reads again in time', async (t) => {
    const running = await start(t, 3_600);
    const { broker, port } = running;
    const blind = await blindSubscriber(running, 'big', 0);
    const publisher = await connected(port, 4);
    while (broker.status().dropped.slow_reader === 0) {
      publisher.send(publish(4, 'big', payload));
      await ping(publisher);
    }
    const client = RawClient.over(blind);
    blind.resume();
    await client.expect('20020000 9003000100');
    client.send('c000');
    let received = await readPacket(client);
    while (received !== 'd000') received = await readPacket(client);
    publisher.send(publish(4, 'big', 'after'));
    assert.equal(await readPacket(client), publish(4, 'big', 'after'));
    for (const one of [client, publisher]) one.end();
  });
});
