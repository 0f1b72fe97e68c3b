import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { temporaryDirectory, waitFor } from '@moat/testkit';
import { torture } from '../dist/torture.js';

const seed = 7;

test('a broker that is killed again and again loses nothing that it acknowledged', async (t) => {
  const directory = await temporaryDirectory(t);
  const cycles = 25;
  let reached = 0;
  const running = torture({ cycles, seed, directory, engine: 'lmdb', fillsDisk: false }, ({ cycle }) => {
    reached = cycle;
  });
  running.catch(() => {}); // awaited below
  for (let cycle = 1; cycle <= cycles; cycle++)
    await t.test(`cycle ${cycle}`, async () => {
      await waitFor(() => reached >= cycle, { timeout: 50_000, what: `cycle ${cycle}` });
    });
  const { faults, done, arrived } = await running;
  assert.deepEqual(faults, []);
  assert.ok(done > 500 && arrived > done, 'enough has happened to be worth the name');
});

describe('The torture', () => {
  it('finds faults in a broker that keeps everything in memory', async (t) => {
    const directory = await temporaryDirectory(t);
    const { faults } = await torture({ cycles: 2, seed, directory, engine: 'memory', fillsDisk: false }, () => {});
    assert.ok(faults.filter(({ rule }) => rule === 'session').length > 10, JSON.stringify(faults));
  });
});
