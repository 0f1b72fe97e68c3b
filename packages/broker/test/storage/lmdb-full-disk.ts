import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import type { Store } from '../../dist/storage/store.js';
import { entry, message, session } from './records.js';

// `node lmdb-full-disk.js DIRECTORY`: a process whose files may not grow for a while, as on a disk that is full.

const [, , directory = ''] = process.argv;

function mayGrowTo(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
}

async function positions(store: Store): Promise<number[]> {
  return (await store.readQueue('a', 0, 1_000)).map(({ position }) => position);
}

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
await store.close();
