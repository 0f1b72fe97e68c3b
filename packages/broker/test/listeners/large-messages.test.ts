import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { waitFor } from '@moat/testkit';
import { connected, portOf, readPacket, startBroker } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { connectPacket, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const payloadBytes = 20_000;
const topic = Buffer.from('big');

/** PUBLISH of QoS 0, whose payload is one number all through. */
function packetOf(number: number): Buffer {
  const packet = Buffer.alloc(4 + 2 + topic.length + payloadBytes);
  const length = packet.length - 4;
  packet.set([0x30, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14, 0, topic.length]);
  packet.set(topic, 6);
  for (let at = 6 + topic.length; at < packet.length; at += 4) packet.writeUInt32BE(number, at);
  return packet;
}

const size = packetOf(0).length;

/** What a subscriber gets, each packet looked at from its first byte to its last. */
class Reader {
  last = 0;
  count = 0;
  bytes = 0;
  private rest = Buffer.alloc(0);

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.rest = Buffer.concat([this.rest, chunk]);
      for (; this.rest.length >= size; this.rest = this.rest.subarray(size)) this.look(this.rest.subarray(0, size));
    });
  }

  private look(packet: Buffer): void {
    const number = packet.readUInt32BE(6 + topic.length);
    assert.ok(number > this.last, `${number} behind ${this.last}`);
    assert.ok(packet.equals(packetOf(number)), `message ${number} is not whole`);
    this.last = number;
    this.count++;
  }
}

async function subscriber(client: RawClient): Promise<RawClient> {
  client.send(connectPacket(4) + subscribe(4, 1, { big: 0 }));
  for (let packets = 0; packets < 2; packets++) await readPacket(client);
  return client;
}

/** Sends so many, as fast as they are taken. */
async function sendAll(socket: Socket, from: number, count: number): Promise<void> {
  for (let number = from; number < from + count; number += 50) {
    const packets = Array.from({ length: 50 }, (_, index) => packetOf(number + index));
    if (!socket.write(Buffer.concat(packets))) await once(socket, 'drain');
  }
}

describe('Large messages of a sender that is fast', () => {
  for (const secure of [false, true]) {
    it(`come whole and in order, to who reads at once${secure ? ', over TLS' : ''} and to who reads late`, async (t) => {
      const { broker, stop } = await startBroker(
        {
          listeners: [
            { protocol: 'mqtt', port: 0 },
            { protocol: 'mqtts', bind: '127.0.0.1', port: 0 },
          ],
          limits: { max_outgoing_buffer: 4_194_304 },
        },
        { prepare: (directory) => TestAuthority.create(directory) },
      );
      t.after(stop);
      const tls = { rejectUnauthorized: false };
      const plain = portOf(broker, 'mqtt');
      const fast = await subscriber(
        await (secure ? RawClient.connect(portOf(broker, 'mqtts'), { tls }) : RawClient.connect(plain)),
      );
      const slow = await subscriber(await RawClient.connect(plain));
      const readers = [fast, slow].map(({ socket }) => new Reader(socket.removeAllListeners('data')));
      const publisher = await connected(plain, 4);
      slow.socket.pause();
      const rounds = 6;
      const each = 500;
      for (let round = 0; round < rounds; round++) {
        await sendAll(publisher.socket, 1 + round * each, each);
        slow.socket.resume();
        await wait(20);
        slow.socket.pause();
      }
      slow.socket.resume();
      const sent = rounds * each;
      await waitFor(() => broker.status().traffic.messagesReceived === sent);
      await waitFor(() => readers.every(({ count }) => count > 0));
      const { dropped, traffic } = broker.status();
      await waitFor(() => readers.reduce((sum, { count }) => sum + count, 0) === traffic.messagesSent);
      assert.equal(traffic.messagesSent + dropped.slow_reader, 2 * sent);
      for (const client of [fast, slow, publisher]) client.end();
    });
  }
});
