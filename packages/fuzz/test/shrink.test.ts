import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shrink } from '../dist/shrink.js';

test('what is left brings the fault about, and nothing of it can be left out', async () => {
  const items = Array.from({ length: 40 }, (_, index) => index);
  const needed = fc.uniqueArray(fc.nat({ max: 39 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(needed, async (numbers) => {
      const fails = async (some: readonly number[]) => numbers.every((number) => some.includes(number));
      assert.deepEqual(
        await shrink(items, fails),
        numbers.toSorted((one, other) => one - other),
      );
    }),
  );
});
