import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from '../../dist/guard/token-bucket.js';

describe('A token bucket', () => {
  it('gives what it has at once, then its rate', () => {
    const bucket = new TokenBucket(0);
    const take = (now: number): boolean => bucket.take(1, 2, 4, now);
    assert.deepEqual([0, 0, 0, 0, 0].map(take), [true, true, true, true, false]);
    assert.deepEqual([499, 500, 501, 1_000].map(take), [false, true, false, true]);
  });

  it('tells when a debt will be paid', () => {
    const bucket = new TokenBucket(0);
    assert.equal(bucket.borrow(10, 100, 10, 0), 0);
    assert.equal(bucket.borrow(5, 100, 10, 0), 50);
    assert.equal(bucket.borrow(0, 100, 10, 50), 0);
  });

  it('never gives more than its depth and what the time brings', () => {
    const visits = fc.array(fc.record({ wait: fc.nat(2_000), count: fc.nat(5) }), { maxLength: 100 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), visits, (rate, depth, each) => {
        const bucket = new TokenBucket(0);
        let [now, given] = [0, 0];
        for (const { wait, count } of each) {
          now += wait;
          if (bucket.take(count, rate, depth, now)) given += count;
          assert.ok(given <= depth + (rate * now) / 1000 + 1e-6);
        }
      }),
    );
  });
});
