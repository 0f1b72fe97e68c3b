import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { LmdbStore } from '../../dist/storage/lmdb/lmdb-store.js';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { allSessions, entry, message, session } from './records.js';

const megabyte = 1_048_576;
const clients = Array.from({ length: 50 }, (_, index) => `client-${index}`);

type Use = (store: LmdbStore, size: () => Promise<number>) => Promise<void>;

/** A test with a store of its own and the size of its data file, in bytes. */
function takes(title: string, use: Use): void {
  it(title, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'moat-space-'));
    const store = await openLmdbStore(directory);
    try {
      for (const clientId of clients) store.putSession(session(clientId));
      await store.commit();
      await use(store, async () => (await stat(join(directory, 'data.mdb'))).size);
    } finally {
      await store.close();
      await rm(directory, { recursive: true });
    }
  });
}

function toAll(store: LmdbStore, position: number): void {
  const shared = message('t', { payload: Buffer.alloc(megabyte, position) });
  for (const clientId of clients) store.enqueue(clientId, entry(position, { message: shared }));
}

describe('The disk space of an LMDB store', () => {
  takes('holds a message once, however many queues have it', async (store, size) => {
    toAll(store, 1);
    await store.commit();
    assert.ok((await size()) < 2 * megabyte);
    for (const clientId of clients) {
      const [found] = await store.readQueue(clientId, 0, 1);
      assert.equal(found?.message.payload.length, megabyte);
    }
  });

  takes('is used again when the last queue has let go of a message', async (store, size) => {
    for (let position = 1; position <= 12; position++) {
      toAll(store, position);
      await store.commit();
      // Each way out of a queue: acknowledged, received, dropped, and with its session.
      for (const clientId of clients.slice(0, 20)) store.dequeue(clientId, position);
      for (const clientId of clients.slice(20, 30)) store.release(clientId, position);
      for (const clientId of clients.slice(30, 40)) store.dequeueFirst(clientId, position - 1);
      for (const clientId of clients.slice(40)) {
        store.deleteSession(clientId);
        store.putSession(session(clientId));
      }
      await store.commit();
    }
    assert.ok((await size()) < 6 * megabyte);
  });

  takes('is not touched by a message that is acknowledged before it was written', async (store, size) => {
    const before = await size();
    for (let position = 1; position <= 20; position++) {
      toAll(store, position);
      for (const clientId of clients) store.dequeue(clientId, position);
    }
    await store.commit();
    assert.ok((await size()) - before < megabyte);
    for (const { queue } of (await allSessions(store)).values())
      assert.deepEqual(queue, { count: 0, bytes: 0, lastPosition: 20 });
  });

  takes('of a long queue comes back after its session was deleted, a part with each commit', async (store, size) => {
    const [clientId = ''] = clients;
    for (let round = 0; round < 4; round++) {
      store.putSession(session(clientId));
      for (let position = 1; position <= 3_000; position++)
        store.enqueue(clientId, entry(position, { message: message('t', { payload: Buffer.alloc(1_000) }) }));
      await store.commit();
      store.deleteSession(clientId);
      for (let commits = 0; commits < 4; commits++) {
        store.deleteRetained('none');
        await store.commit();
      }
      assert.deepEqual(await store.readQueue(clientId, 0, 1), []);
    }
    assert.ok((await size()) < 9 * megabyte);
  });
});
