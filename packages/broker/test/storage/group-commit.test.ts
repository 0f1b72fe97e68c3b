import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory } from '@moat/testkit';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { puback, pubcomp, pubrec, pubrel, subscriber } from '../support/clients.js';
import { publish } from '../support/packets.js';
import { entry, message, session } from './records.js';

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

test('a queue is fetched page by page without a commit for each', async (t) => {
  const store = await openLmdbStore(await temporaryDirectory(t));
  t.after(() => store.close());
  store.putSession(session('a'));
  for (let position = 1; position <= 9; position++) store.enqueue('a', entry(position));
  await store.commit();
  const { durable } = store;
  for (let after = 0; after < 9; after += 3) {
    const page = await store.readQueue('a', after, 3);
    assert.deepEqual(
      page.map(({ position }) => position),
      [after + 1, after + 2, after + 3],
    );
    for (const { position } of page) store.dequeue('a', position);
  }
  assert.equal(store.durable, durable);
  store.enqueue('a', entry(10));
  assert.equal((await store.readQueue('a', 9, 3)).length, 1, 'what is staged is seen');
});

test('a queue is read with what is staged in a batch that failed', async (t) => {
  const store = await openLmdbStore(await temporaryDirectory(t));
  t.after(() => store.close());
  store.putSession(session('a'));
  for (const position of [1, 2]) store.enqueue('a', entry(position));
  await store.commit();
  store.dequeue('a', 1);
  let fails = true;
  const unwritable = {
    ...message('t'),
    get publisher(): string {
      if (fails) throw new Error('not now');
      return 'anna';
    },
  };
  store.enqueue('a', entry(3, { message: unwritable }));
  await assert.rejects(store.commit(), /not now/);
  fails = false;
  const found = await store.readQueue('a', 0, 10);
  assert.deepEqual(
    found.map(({ position }) => position),
    [2, 3],
  );
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
