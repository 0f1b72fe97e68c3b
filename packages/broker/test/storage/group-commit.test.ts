import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory } from '@moat/testkit';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { puback, pubcomp, pubrec, pubrel, subscriber } from '../support/clients.js';
import { publish } from '../support/packets.js';
import { entry, session } from './records.js';

test('many who wait share a transaction', async (t) => {
  const store = await openLmdbStore(await temporaryDirectory(t));
  t.after(() => store.close());
  const clients = Array.from({ length: 10 }, (_, index) => `client-${index}`);
  for (const client of clients) store.putSession(session(client));
  await store.commit();
  const transactions = (): number => (store.figures() as { lastTxnId: number }).lastTxnId;
  const before = transactions();
  const waiting: Promise<void>[] = [];
  for (let position = 1; position <= 100; position++)
    for (const client of clients) {
      store.enqueue(client, entry(position));
      waiting.push(store.commit());
    }
  await Promise.all(waiting);
  assert.equal(store.durable, store.staged);
  assert.ok(transactions() - before <= 2, `${transactions() - before} transactions`);
});

test('an idle store waits for no timer', async (t) => {
  const store = await openLmdbStore(await temporaryDirectory(t));
  t.after(() => store.close());
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }); // no time passes from here on
  for (let position = 1; position <= 5; position++) {
    store.putSession(session(`client-${position}`));
    await store.commit();
    assert.equal(store.durable, store.staged);
  }
});

/** A store that never comes to an end with what is staged. */
class StuckStore extends MemoryStore {
  override commit(): Promise<void> {
    return this.staged === 0 ? super.commit() : new Promise(() => {});
  }
}

test('QoS 0, and all that goes between clean sessions, stages nothing and waits for nothing', async (t) => {
  const store = new StuckStore();
  const { port, stop } = await startBroker({}, { store });
  t.after(stop);
  for (const version of [4, 5] as const) {
    const live = await subscriber(port, version, { 'live/#': 2 }, { clientId: 'live' });
    const publisher = await connected(port, version);
    publisher.send(publish(version, 'live/0', 'a'));
    publisher.send(publish(version, 'live/1', 'b', { qos: 1, packetId: 7 }));
    publisher.send(publish(version, 'live/2', 'c', { qos: 2, packetId: 8 }));
    assert.equal(await readPacket(publisher), puback(7));
    assert.equal(await readPacket(publisher), pubrec(8));
    publisher.send(pubrel(8));
    assert.equal(await readPacket(publisher), pubcomp(8));
    assert.equal(await readPacket(live), publish(version, 'live/0', 'a'));
    for (let more = 0; more < 2; more++) await readPacket(live);
    live.end();
    publisher.end();
  }
  assert.equal(store.staged, 0);
});
