import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { message } from './records.js';

// `node lmdb-compacting.js DIRECTORY STEP`: compacts a store with free pages while it goes on to write, and tells each number
// that is durable. At that step, before or behind one thing that a compaction does to its files, it is killed.

const [, , directory = '', at = ''] = process.argv;
const store = await openLmdbStore(directory);
for (let each = 0; each < 200; each++)
  store.putRetained(message(`old/${each}`, { payload: Buffer.alloc(2_000, each) }), 'user:anna');
await store.commit();
for (let each = 0; each < 100; each++) store.deleteRetained(`old/${each}`);
await store.commit();

let step = 0;
function count(): void {
  if (++step === Number(at)) process.kill(process.pid, 'SIGKILL');
}
for (const name of ['mkdirSync', 'rmSync', 'renameSync', 'fsyncSync', 'closeSync'] as const) {
  const original = fs[name] as (...args: unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (...args: unknown[]) => {
      count();
      original(...args);
      count();
    },
  });
}
syncBuiltinESMExports();

let over = false;
const compacted = store.maintenance.compact().finally(() => {
  over = true;
});
for (let number = 1; !over; number++) {
  store.putRetained(message(`new/${number}`, { payload: Buffer.alloc(100) }), 'user:anna');
  await store.commit();
  process.stdout.write(`${number}\n`);
}
await compacted;
await store.close();
