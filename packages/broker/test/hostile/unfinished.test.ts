import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { WebSocket } from 'ws';
import { connected, ping, portOf, readPacket, startBroker } from '../support/broker.js';
import { memoryInUse } from '../support/memory.js';
import { connectPacket, publish, subscribe, type Version } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

/*
 * Many clients each declare the largest packet there may be, and send all of it but the last byte.
 */
const MiB = 1_048_576;
const limit = 8 * MiB;
const attackers = 60;

const { broker, port, stop } = await startBroker({
  listeners: [
    { protocol: 'mqtt', port: 0 },
    { protocol: 'ws', port: 0 },
  ],
  limits: { max_unfinished_bytes: limit },
});
after(stop);

const bystander = await connected(port, 5);
after(() => bystander.end());
bystander.send(subscribe(5, 1, { large: 0 }));
await readPacket(bystander);

/** A packet of 1 MiB, without its last byte. */
function almostAll(first: number): Buffer {
  const bytes = Buffer.alloc(MiB - 1);
  bytes.set([first, 0xfc, 0xff, 0x3f]);
  bytes.set(Buffer.from('00044d5154540402003c0001', 'hex'), 4);
  return bytes;
}
// All attackers send the same bytes: what the process holds is the broker's.
const connect = almostAll(0x10);
const message = almostAll(0x30);

async function overTcp(version: Version | undefined): Promise<() => void> {
  const client = version === undefined ? await RawClient.connect(port) : await connected(port, version);
  client.send(version === undefined ? connect : message);
  return () => client.end();
}

async function overWebSocket(): Promise<() => void> {
  const socket = new WebSocket(`ws://127.0.0.1:${portOf(broker, 'ws')}/mqtt`, 'mqtt', { perMessageDeflate: false });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  // The frame is whole, and the message is not.
  socket.send(connect, { fin: false });
  return () => socket.terminate();
}

describe('Unfinished packets', () => {
  const ways: Record<string, () => Promise<() => void>> = {
    'in CONNECT': () => overTcp(undefined),
    'in PUBLISH of 3.1.1': () => overTcp(4),
    'in PUBLISH of 5.0': () => overTcp(5),
    'in a WebSocket message': overWebSocket,
  };
  for (const [where, begin] of Object.entries(ways))
    it(`${where}: many of the largest never hold more than the limit, and others are served`, async () => {
      const { evicted } = broker.status().guard.unfinished;
      const before = await memoryInUse();
      const ends: (() => void)[] = [];
      let most = 0;
      for (let count = 0; count < attackers; count++) {
        ends.push(await begin());
        most = Math.max(most, broker.status().guard.unfinished.bytes);
        if (count % 10 === 0) await ping(bystander);
      }
      await waitFor(() => broker.status().guard.unfinished.evicted - evicted >= attackers - limit / MiB);
      const honest = await connected(port, 4);
      honest.send(publish(4, 'large', 'x'.repeat(900_000)));
      const arrived = await readPacket(bystander);
      assert.equal(arrived.length, 2 * (900_000 + 12));
      const growth = (await memoryInUse()) - before;
      most = Math.max(most, broker.status().guard.unfinished.bytes);
      assert.ok(most > limit / 2 && most <= limit, `${most} bytes`);
      assert.ok(growth < limit + 6 * MiB, `${growth} bytes more than before`);
      honest.end();
      for (const end of ends) end();
      await waitFor(() => broker.status().guard.unfinished.bytes === 0);
      await ping(bystander);
    });

  it('that give way are told so, and count as no malformed packet', async () => {
    const { events } = broker.status();
    const clients: RawClient[] = [];
    for (let count = 0; count < 10; count++) {
      const client = await RawClient.connect(port);
      client.send(connectPacket(5, { clientId: `u${count}` }));
      await readPacket(client);
      client.send(message);
      clients.push(client);
    }
    const [first] = clients;
    assert.equal((await first?.rest())?.toString('hex'), 'e00197');
    const after = broker.status().events;
    assert.ok((after['limit.unfinished'] ?? 0) > (events['limit.unfinished'] ?? 0));
    assert.equal(after['client.protocol_error'], events['client.protocol_error']);
    for (const client of clients) client.end();
    await waitFor(() => broker.status().guard.unfinished.bytes === 0);
  });

  it('of a few kilobytes cost nobody anything', async () => {
    const { evicted } = broker.status().guard.unfinished;
    const client = await connected(port, 5);
    client.send(message.subarray(0, 1_000));
    await ping(bystander);
    assert.deepEqual(broker.status().guard.unfinished, { bytes: 0, evicted });
    client.end();
  });

  it('over a WebSocket: a message of more wrapping than content ends its connection', async () => {
    const client = await RawClient.connect(portOf(broker, 'ws'));
    client.send(
      Buffer.from(
        'GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
      ),
    );
    client.send('02 81 00000000 10');
    const ping = Buffer.from('898000000000', 'hex');
    const pings = Buffer.alloc(20_000 * ping.length, ping);
    for (let sent = 0; sent < 100; sent++) client.send(pings);
    client.socket.resume();
    await client.rest();
    await waitFor(() => broker.status().guard.unfinished.bytes === 0);
  });
});
