import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapSpaceStatistics } from 'node:v8';
import { collectYoungGarbage } from '../dist/collect-garbage.js';

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_used_size ?? 0;
}

describe('Collecting young garbage', () => {
  it('lets go of what was made a moment ago, and keeps what is in use', () => {
    const kept = { kept: true };
    collectYoungGarbage();
    collectYoungGarbage(); // what it found in use the first time is old now, and there is room
    const before = youngBytes();
    let last: readonly number[] = [];
    for (let count = 0; count < 10_000; count++) last = [count, count + 1, count + 2];
    const after = youngBytes();
    assert.ok(after - before > 200_000, `${after - before} bytes of garbage`);
    collectYoungGarbage();
    collectYoungGarbage();
    assert.ok(youngBytes() - before < 100_000, `${youngBytes() - before} bytes are left`);
    assert.deepEqual([last[0], kept], [9_999, { kept: true }]);
  });
});
