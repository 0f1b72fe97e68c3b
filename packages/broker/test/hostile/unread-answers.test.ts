import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { connected, startBroker } from '../support/broker.js';

/** Each PINGREQ of two bytes asks for a PINGRESP of two bytes. */
const flood = Buffer.alloc(1_000_000, Buffer.from('c000', 'hex'));
const floods = 40;

describe('A client that asks and never reads', () => {
  it('is not read from above the high-water mark, keeps nothing waiting beyond it, and is given up', async (t) => {
    const limits = { max_outgoing_buffer: 65_536, stuck_timeout: 1 };
    const { broker, port, stop } = await startBroker({ limits });
    t.after(stop);
    const client = await connected(port, 4);
    client.socket.pause();
    const before = broker.status();
    for (let sent = 0; sent < floods; sent++) client.send(flood);
    await waitFor(() => broker.status().events['limit.slow_reader'] === 1);
    const { traffic } = broker.status();
    // What the system's own buffers took on both sides is gone from ours; far from all of the flood was read.
    assert.ok(traffic.bytesReceived - before.traffic.bytesReceived < (floods * flood.length) / 2);
    const other = await connected(port, 4);
    other.send('c000');
    await other.expect('d000');
    client.socket.destroy();
    other.socket.destroy();
  });

  it('is served on when it reads again', async (t) => {
    const { broker, port, stop } = await startBroker({ limits: { max_outgoing_buffer: 65_536 } });
    t.after(stop);
    const client = await connected(port, 4);
    client.socket.pause();
    for (let sent = 0; sent < floods; sent++) client.send(flood);
    let last = -1;
    await waitFor(() => {
      const { bytesReceived } = broker.status().traffic;
      const stands = bytesReceived === last;
      last = bytesReceived;
      return stands;
    });
    client.socket.removeAllListeners('data');
    let answers = 0;
    await new Promise<void>((resolve) => {
      client.socket.on('data', (chunk) => {
        answers += chunk.length;
        if (answers === floods * flood.length) resolve();
      });
      client.socket.resume();
    });
    assert.equal(answers, floods * flood.length);
    client.socket.destroy();
  });
});
