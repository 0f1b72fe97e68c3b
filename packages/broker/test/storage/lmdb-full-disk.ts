import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import type { RestoredSession, Store } from '../../dist/storage/store.js';
import { entry, message, session } from './records.js';

// `node lmdb-full-disk.js DIRECTORY`: a process whose files may not grow for a while, as on a disk that is full.

const [, , directory = ''] = process.argv;

function mayGrowTo(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
}

async function positions(store: Store): Promise<number[]> {
  return (await store.readQueue('a', 0, 1_000)).map(({ position }) => position);
}

/** When the session of a client was left, by what a broker is told that starts from the store. */
async function disconnectedAt(store: Store): Promise<number | undefined> {
  const found: RestoredSession[] = [];
  for await (const some of store.sessions()) found.push(...some);
  return found.find(({ session: { clientId } }) => clientId === 'a')?.session.disconnectedAt;
}

const left = (at: number) => session('a', { disconnectedAt: at });
const isMarked = () => existsSync(join(directory, 'behind'));

let store = await openLmdbStore(directory);
store.putSession(session('a'));
await store.commit();

mayGrowTo(500_000);
let last = 0;
const refused: number[] = [];
while (refused.length < 5) {
  store.enqueue('a', entry(++last, { message: message('t', { payload: Buffer.alloc(20_000, last) }) }));
  await store.commit().catch(() => refused.push(last));
}
assert.ok(last > 5, 'some were stored before there was no more room');
const all = Array.from({ length: last }, (_, index) => index + 1);
assert.deepEqual(await positions(store), all, 'what was staged is still seen');

mayGrowTo('unlimited');
// The read has begun another attempt, which may have failed before there was room.
await store.commit().catch(() => store.commit());
await store.close();
store = await openLmdbStore(directory);
assert.deepEqual(await positions(store), all, 'what was refused is stored when there is room again');

// Clients that came back while nothing was written may have been there until the end.
store.putSession(left(1));
await store.commit();
assert.equal(await disconnectedAt(store), 1);
mayGrowTo(1);
store.putSession(left(2));
await assert.rejects(store.commit());
await assert.rejects(store.close());
mayGrowTo('unlimited');
store = await openLmdbStore(directory);
store.putSession(session('b'));
await store.commit();
assert.ok(isMarked(), 'who only writes has not told anybody when sessions were left');
assert.equal(await disconnectedAt(store), undefined);
store.putSession(left(3));
await store.commit();
assert.ok(!isMarked());
await store.close();
store = await openLmdbStore(directory);
assert.equal(await disconnectedAt(store), 3);

// What the store is behind with is staged when it takes something again, and is to be durable, too.
store.watch((failure) => failure === undefined && store.putSession(left(4)));
mayGrowTo(1);
store.putSession(session('b'));
await assert.rejects(store.commit());
mayGrowTo('unlimited');
await store.commit();
assert.ok(isMarked());
await store.commit();
assert.ok(!isMarked());
await store.close();
