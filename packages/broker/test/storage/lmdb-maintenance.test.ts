import assert from 'node:assert/strict';
import { access, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '@moat/testkit';
import { Batch } from '../../dist/storage/lmdb/batch.js';
import { checkStore } from '../../dist/storage/lmdb/check.js';
import { Compaction } from '../../dist/storage/lmdb/compaction.js';
import type { LmdbStore } from '../../dist/storage/lmdb/lmdb-store.js';
import { createTree, openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import type { Store } from '../../dist/storage/store.js';
import { inDirectory } from './in-directory.js';
import { allRetained, allSessions, entry, message, plain, session, subscription } from './records.js';

const body = Buffer.alloc(500, 5);
const clients = 20;
const clientIdOf = (number: number): string => `client-${number % clients}`;

/** A stream of operations of every kind, the same each time. */
class Traffic {
  private next = 0;
  private readonly positions = new Map<string, number>();

  constructor(private readonly stores: readonly Store[]) {}

  /** Stages the next operations in all of the stores. */
  run(count: number): void {
    for (let each = 0; each < count; each++) this.step(this.next++);
  }

  private step(number: number): void {
    const clientId = clientIdOf(number * 7);
    const position = (this.positions.get(clientId) ?? 0) + 1;
    const kind = number < clients ? 0 : number % 13;
    for (const store of this.stores) {
      if (kind === 0) {
        if (number % 5 === 0) store.deleteSession(clientIdOf(number));
        store.putSession(session(clientIdOf(number), { sentUpTo: number }));
      } else if (kind === 1) store.putSubscription(clientId, subscription(`a/${number % 30}`));
      else if (kind === 2) store.deleteSubscription(clientId, `a/${number % 17}`);
      else if (kind === 3) store.putRetained(message(`r/${number % 50}`, { payload: body }), 'user:anna');
      else if (kind === 4) store.deleteRetained(`r/${number % 29}`);
      else if (kind === 5) store.dequeueFirst(clientId, 0);
      else if (kind === 6) store.dequeue(clientId, Math.max(1, position - 3));
      else if (kind === 7) store.release(clientId, Math.max(1, position - 1));
      else store.enqueue(clientId, entry(position, { message: message(`t/${number}`, { payload: body }) }));
    }
    if (kind > 7) this.positions.set(clientId, position);
  }
}

async function contentsOf(store: Store) {
  const sessions = await allSessions(store);
  const queues = await Promise.all(
    [...sessions.keys()].sort().map(async (clientId) =>
      (await store.readQueue(clientId, 0, 10_000)).map((each) => ({
        position: each.position,
        state: each.state,
        // A released entry keeps no message in one engine, and may in the other.
        message: each.state === 'released' ? undefined : plain(each.message),
      })),
    ),
  );
  const subscriptions = [...sessions].map(([clientId, { subscriptions: each }]) => [
    clientId,
    each.map(({ filter }) => filter).sort(),
  ]);
  return { queues, subscriptions: subscriptions.sort(), retained: [...(await allRetained(store))].sort() };
}

async function same(store: Store, expected: Store): Promise<void> {
  assert.deepEqual(await contentsOf(store), await contentsOf(expected));
}

async function isSound(directory: string): Promise<void> {
  assert.deepEqual((await checkStore(directory)).faults, []);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Queues much, and takes it away again. */
async function swell(store: LmdbStore, messages: number): Promise<void> {
  store.putSession(session('fat'));
  for (let position = 1; position <= messages; position++)
    store.enqueue('fat', entry(position, { message: message('t', { payload: body }) }));
  await store.commit();
  store.deleteSession('fat');
  await store.commit();
  // Queues of deleted sessions are cleared away by and by.
  for (let rest = messages; rest > 0; rest -= 1_000) {
    store.putSession(session('a'));
    await store.commit();
  }
}

describe('The space of a store', () => {
  it('is used again when sessions, queues and retained messages go', () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(directory);
      await swell(store, 4_000);
      const { bytes, freeBytes } = store.maintenance.stats();
      assert.ok(freeBytes > bytes / 2, `${freeBytes} of ${bytes} bytes are free`);
      for (let round = 0; round < 4; round++) await swell(store, 4_000);
      assert.ok(store.maintenance.stats().bytes <= bytes * 1.1);
      await store.close();
      await isSound(directory);
    }));

  it('is given back by a compaction, while the store goes on and loses nothing', () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(directory);
      const expected = new MemoryStore();
      const traffic = new Traffic([store, expected]);
      traffic.run(2_000);
      await swell(store, 8_000);
      for (let round = 0; round < 3; round++) {
        let over = false;
        const compacted = store.maintenance.compact().finally(() => {
          over = true;
        });
        // Bounded, since on a slow machine the store would grow for as long as it is made smaller.
        for (let turns = 0; turns === 0 || !over; turns++) {
          if (turns < 20) traffic.run(50);
          if (round === 1) await store.commit();
          else await turn();
        }
        const { before, after } = await compacted;
        if (round === 0) assert.ok(after < before / 2, `${before} bytes became ${after}`);
        store.deleteSession('a');
        await same(store, expected);
      }
      traffic.run(500);
      await store.close();
      await assert.rejects(access(join(directory, 'compact')), { code: 'ENOENT' });
      await isSound(directory);
      assert.equal((await stat(join(directory, 'data.mdb'))).mode & 0o777, 0o600);
      const again = await openLmdbStore(directory);
      await same(again, expected);
      await again.close();
    }));

  it('stays with the user of the broker where root has it given back', needs('root'), () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(directory);
      const [file, nobody] = [join(directory, 'data.mdb'), 65_534];
      await chown(file, nobody, nobody);
      await store.maintenance.compact();
      const { uid, gid } = await stat(file);
      assert.deepEqual([uid, gid], [nobody, nobody]);
      await store.close();
    }),
  );

  it('is not taken by a compaction that a killed broker left half done', () =>
    inDirectory(async (directory) => {
      await (await openLmdbStore(directory)).close();
      await mkdir(join(directory, 'compact'));
      await writeFile(join(directory, 'compact', 'data.mdb'), 'half');
      await (await openLmdbStore(directory)).close();
      await assert.rejects(access(join(directory, 'compact')), { code: 'ENOENT' });
    }));

  it('is compacted or backed up by one at a time, and closing waits for it', () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(join(directory, 'store'));
      await swell(store, 2_000);
      const first = store.maintenance.compact();
      await assert.rejects(store.maintenance.compact(), { code: 'store.busy' });
      await assert.rejects(store.maintenance.backup(join(directory, 'backup')), { code: 'store.busy' });
      const closed = store.close();
      assert.ok((await first).after > 0);
      await closed;
      await isSound(join(directory, 'store'));
      await assert.rejects(store.maintenance.compact(), /closed/);
    }));
});

describe('A compaction', () => {
  it('is given up when more is written meanwhile than it may hold', () =>
    inDirectory(async (directory) => {
      const tree = createTree(directory);
      const batch = new Batch();
      batch.stage({ apply: () => {} }, 1_000);
      const { bytes } = batch;
      const progress = { session: 0, body: 0, clearing: false };
      const bounded = await Compaction.begin(tree, directory, progress, 2 * bytes);
      bounded.wrote(batch);
      bounded.wrote(batch);
      await bounded.catchUp();
      bounded.wrote(batch);
      bounded.wrote(batch);
      bounded.wrote(batch);
      await assert.rejects(bounded.catchUp(), { code: 'store.busy' });
      await bounded.abandon();
      await tree.close();
    }));
});

describe('A backup of a store', () => {
  it('holds all that was durable when it began, while the store goes on', () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(join(directory, 'store'));
      const expected = new MemoryStore();
      const traffic = new Traffic([store, expected]);
      traffic.run(3_000);
      const backup = join(directory, 'backup');
      const backedUp = store.maintenance.backup(backup);
      // Staged behind it: another store sees those that are committed before.
      const late = new Traffic([store]);
      await backedUp;
      late.run(500);
      await store.commit();
      await isSound(backup);
      assert.equal((await stat(join(backup, 'data.mdb'))).mode & 0o777, 0o600);
      assert.equal((await stat(backup)).mode & 0o777, 0o700);
      const copy = await openLmdbStore(backup);
      await same(copy, expected);
      await copy.close();
      await assert.rejects(store.maintenance.backup(backup), /is not empty/);
      await assert.rejects(store.maintenance.backup(join(backup, 'data.mdb', 'below')), { code: 'data_dir.unusable' });
      await store.close();
    }));
});
