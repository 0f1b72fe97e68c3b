import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { memoryInUse } from '../support/memory.js';
import { connectPacket, publish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const MiB = 1_048_576;

describe('Mosquitto CVE-2023-28366', () => {
  it('QoS 2 messages that are never completed, with identifiers that come again, take one place for each identifier', async (t) => {
    const { port, stop } = await startBroker();
    t.after(stop);
    const [client, listener] = [await connected(port, 4), await connected(port, 4)];
    listener.send(subscribe(4, 1, { t: 0 }));
    await readPacket(listener);
    const flood = async (): Promise<void> => {
      for (let round = 0; round < 200; round++) {
        for (let id = 1; id <= 10; id++)
          client.send(publish(4, 't', `${round}`.padEnd(2_000), { qos: 2, packetId: id, dup: true }));
        for (let id = 1; id <= 10; id++) await client.expect(`50 02 00${id.toString(16).padStart(2, '0')}`);
      }
    };
    await flood();
    const before = await memoryInUse();
    await flood();
    assert.ok((await memoryInUse()) - before < MiB);
    for (let id = 1; id <= 10; id++) {
      client.send(`62 02 00${id.toString(16).padStart(2, '0')}`);
      assert.equal(await readPacket(listener), publish(4, 't', '0'.padEnd(2_000)), 'the first of each counts');
    }
    await ping(listener);
    for (const each of [client, listener]) each.end();
  });
});

describe('NanoMQ CVE-2025-59946, CVE-2026-22040', () => {
  it('a storm of connections with one client ID, whose subscriptions come and go, leaves one owner and nothing stale', async (t) => {
    const { port, stop, broker } = await startBroker();
    t.after(stop);
    const speaker = await connected(port, 5);
    const storm = async (): Promise<void> => {
      const clients: RawClient[] = [];
      for (let count = 0; count < 300; count++) {
        const client = await RawClient.connect(port);
        client.socket.resume();
        client.send(connectPacket(5, { clientId: 'one', cleanStart: count % 3 === 0, properties: '11 0000003c' }));
        client.send(subscribe(5, 1, { [`s/${count % 7}`]: 1, [`s/${count % 5}/#`]: 2 }));
        speaker.send(publish(5, `s/${count % 7}`, 'x', { qos: 1, packetId: 1 }));
        if (count % 2 === 0) client.end();
        clients.push(client);
      }
      const last = await connected(port, 5, { clientId: 'one', cleanStart: true });
      await waitFor(() => broker.status().connections === 2);
      assert.equal(broker.status().sessions, 2);
      assert.equal(broker.status().subscriptions, 0);
      last.send(subscribe(5, 1, { 's/0': 0 }));
      await readPacket(last);
      const other = await connected(port, 5);
      other.send(publish(5, 's/1', 'not this'));
      other.send(publish(5, 's/0', 'this'));
      await last.expect(publish(5, 's/0', 'this'));
      await ping(last);
      for (const client of [...clients, last, other]) client.end();
      await waitFor(() => broker.status().connections === 1 && broker.status().sessions === 1);
    };
    speaker.socket.resume();
    await storm();
    const before = await memoryInUse();
    await storm();
    assert.ok((await memoryInUse()) - before < 2 * MiB);
    speaker.end();
  });
});

describe('FlashMQ CVE-2025-62723', () => {
  it('sessions that expire with full queues give back memory and disk', async (t) => {
    const { port, stop, broker, directory } = await startBroker({ storage: { engine: 'lmdb' } });
    t.after(stop);
    const speaker = await connected(port, 5);
    const round = async (): Promise<number> => {
      for (let count = 0; count < 20; count++) {
        const client = await connected(port, 5, { clientId: `q${count}`, properties: '11 00000001' });
        client.send(subscribe(5, 1, { 'q/#': 1 }));
        await readPacket(client);
        client.end();
      }
      for (let count = 1; count <= 200; count++) {
        speaker.send(publish(5, 'q/x', `${count}`.padEnd(5_000), { qos: 1, packetId: count }));
        assert.match(await readPacket(speaker), /^40/);
      }
      await waitFor(() => broker.status().sessions === 1, { timeout: 30_000 });
      return (await stat(join(directory, 'store', 'data.mdb'))).size;
    };
    await round();
    const size = await round();
    const before = await memoryInUse();
    for (let more = 0; more < 2; more++) assert.ok((await round()) <= size + MiB);
    assert.ok((await memoryInUse()) - before < 2 * MiB);
    speaker.end();
  });
});
