import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, temporaryDirectory } from '@moat/testkit';
import { checkStore } from '../../dist/storage/lmdb/check.js';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { compactionDirectory } from '../../dist/storage/lmdb/tree-files.js';
import { allRetained } from './records.js';

const program = fileURLToPath(new URL('lmdb-compacting.js', import.meta.url));
const atOnce = 4;

/** Whether it was killed at that step; then nothing that it had told is missing. */
async function killedAt(directory: string, step: number): Promise<boolean> {
  const { code, stdout, stderr } = await run(process.execPath, [program, directory, String(step)]);
  assert.ok(code === null || code === 0, stderr);
  const told = stdout.split('\n').length - 1;
  const store = await openLmdbStore(directory);
  const topics = [...(await allRetained(store)).keys()];
  await store.close();
  const old = topics.filter((topic) => topic.startsWith('old/'));
  const written = topics.length - old.length;
  assert.equal(old.length, 100, `step ${step}`);
  assert.ok(written >= told, `${written} of ${told} at step ${step}`);
  assert.equal(existsSync(compactionDirectory(directory)), false);
  assert.deepEqual((await checkStore(directory)).faults, []);
  return code === null;
}

test('a compaction that is killed before or behind anything that it does to files leaves all that is durable', async (t) => {
  const directory = await temporaryDirectory(t);
  let kills = 0;
  for (let first = 1; ; first += atOnce) {
    const steps = Array.from({ length: atOnce }, (_, index) => first + index);
    const killed = await Promise.all(steps.map((step) => killedAt(join(directory, String(step)), step)));
    kills += killed.filter(Boolean).length;
    if (killed.includes(false)) break;
  }
  assert.ok(kills > 10, `${kills} steps`);
});
