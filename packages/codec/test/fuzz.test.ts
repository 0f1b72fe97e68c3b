import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fuzz } from './fuzz/fuzz.js';

const main = fileURLToPath(new URL('fuzz/main.js', import.meta.url));

test('Mutated packets in conversations bring nothing to light but refusals', () => {
  for (const seed of [1, 2, 3]) {
    const report = fuzz(20_000, seed);
    assert.equal(report.finding, undefined, `seed ${seed}`);
    assert.ok(report.accepted > 500 && report.refused > 500, 'both kinds must be reached');
  }
});

test('The same seed gives the same run', () => {
  assert.deepEqual(fuzz(2000, 7), fuzz(2000, 7));
  assert.notDeepEqual(fuzz(2000, 7), fuzz(2000, 8));
});

test('The fuzz command reports what it did, and refuses wrong usage with exit code 2', () => {
  const run = spawnSync(process.execPath, [main, '--packets', '5000', '--seed', '9'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(run.status, 0, run.stdout);
  assert.match(run.stdout, /^Fuzzing with 5000 packets from seed 9\n/);
  assert.match(run.stdout, /accepted, \d+ refused; memory grew by -?\d+ MiB\n$/);
  assert.equal(spawnSync(process.execPath, [main, '--packets', 'many'], { timeout: 60_000 }).status, 2);
});
