import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestQuota } from '../../dist/guard/request-quota.js';

const minute = 60_000;

test('each asker has so many an hour, and gets them back evenly', () => {
  const quota = new RequestQuota();
  const take = (asker: string, now: number) => quota.take(asker, 1_000, 3, now);
  assert.deepEqual(
    [0, 0, 0, 0].map((now) => take('a', now)),
    [true, true, true, false],
  );
  assert.ok(take('b', 0), 'another has its own');
  assert.deepEqual(
    [19 * minute, 20.1 * minute, 21 * minute].map((now) => take('a', now)),
    [false, true, false],
  );
});

test('all together have so many a minute, whoever asks', () => {
  const quota = new RequestQuota();
  const take = (asker: string, now: number) => quota.take(asker, 2, 100, now);
  assert.deepEqual([take('a', 0), take('b', 0), take('c', 0)], [true, true, false]);
  assert.deepEqual([take('c', 29_000), take('c', 30_100), take('c', 30_200)], [false, true, false]);
});
