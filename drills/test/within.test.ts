import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { within } from '../dist/within.js';

test('a time of its own is over when it is, though garbage was collected meanwhile', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const own = within(new AbortController().signal, 0.3);
  await pause(50);
  collect();
  assert.equal(own.aborted, false);
  await pause(1_000);
  assert.equal(own.aborted, true);
});

test('it is over with the drill, at once where that is over already', () => {
  const drill = new AbortController();
  const own = within(drill.signal, 60);
  assert.equal(own.aborted, false);
  drill.abort();
  assert.equal(own.aborted, true);
  assert.equal(within(drill.signal, 60).aborted, true);
});
