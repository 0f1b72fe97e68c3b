import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delayBefore } from '@moat/client';

const backoff = { minimum: 100, maximum: 5000 };

test('the wait doubles with each attempt, up to the maximum', () => {
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => delayBefore(attempt, 1, backoff));
  assert.deepEqual(ceilings, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
});

test('half of the wait is random', () => {
  assert.equal(delayBefore(3, 0, backoff), 400);
  assert.equal(delayBefore(3, 0.5, backoff), 600);
});
