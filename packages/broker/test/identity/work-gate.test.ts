import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkGate } from '../../dist/identity/work-gate.js';

describe('a work gate', () => {
  it('runs so many at once, lets so many wait in order, and turns the others away', async () => {
    const gate = new WorkGate(2, 3);
    const finish: (() => void)[] = [];
    const started: number[] = [];
    const results = Array.from({ length: 7 }, (_, index) =>
      gate.run(async () => {
        started.push(index);
        await new Promise<void>((resolve) => finish.push(resolve));
        return index;
      }),
    );
    assert.deepEqual(await Promise.all(results.slice(5)), ['busy', 'busy']);
    assert.deepEqual(started, [0, 1]);
    for (let index = 0; index < 5; index++) {
      finish[index]?.();
      assert.equal(await results[index], index);
    }
    assert.deepEqual(started, [0, 1, 2, 3, 4]);
  });

  it('gives the place of a task that fails to the next', async () => {
    const gate = new WorkGate(1, 1);
    const failing = gate.run(() => Promise.reject(new Error('no')));
    const next = gate.run(async () => 'done');
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'done');
    assert.equal(await gate.run(async () => 'again'), 'again');
  });

  it('never runs more than it may, however tasks come and go', async () => {
    const gate = new WorkGate(3, 100);
    let running = 0;
    let most = 0;
    const task = async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
    };
    await Promise.all(Array.from({ length: 100 }, () => gate.run(task)));
    assert.equal(most, 3);
    assert.equal(running, 0);
  });
});
