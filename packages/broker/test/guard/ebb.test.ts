import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ebb } from '../../dist/guard/ebb.js';

/** What is told when there were so many connections, one look a second. */
function looks(...connections: number[]): boolean[] {
  const ebb = new Ebb();
  return connections.map((count, second) => {
    const isTold = ebb.look(count, 1_000 * second);
    if (isTold) ebb.told(count, 1_000 * second);
    return isTold;
  });
}

describe('A crowd that goes', () => {
  it('is told of once half of it, and a thousand at least, have been gone for two seconds', () => {
    assert.deepEqual(looks(2_000, 1_000, 1_000, 1_000, 1_000), [false, false, false, true, false]);
    assert.deepEqual(looks(1_000, 0, 0, 0), [false, false, false, true]);
  });

  it('is none as long as more than half stay, or fewer than a thousand have gone', () => {
    assert.ok(!looks(2_002, 1_002, 1_002, 1_002, 1_002).includes(true));
    assert.ok(!looks(999, 0, 0, 0, 0).includes(true));
  });

  it('is none when it comes back at once', () => {
    assert.ok(!looks(5_000, 0, 0, 5_000, 0, 0, 5_000).includes(true));
  });

  it('is told of at most once a minute, and then of all that went meanwhile', () => {
    const told = looks(
      5_000,
      0,
      0,
      0,
      ...Array.from({ length: 30 }, () => 4_000),
      ...Array.from({ length: 40 }, () => 0),
    );
    assert.deepEqual(
      told.flatMap((isTold, second) => (isTold ? [second] : [])),
      [3, 63],
    );
  });

  it('is told of until it has been acted upon', () => {
    const ebb = new Ebb();
    ebb.look(3_000, 0);
    ebb.look(0, 1);
    assert.ok(ebb.look(0, 2_001));
    assert.ok(ebb.look(0, 9_000));
    ebb.told(0, 9_000);
    assert.ok(!ebb.look(0, 99_000));
  });
});
