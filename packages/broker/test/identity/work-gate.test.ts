import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkGate } from '../../dist/identity/work-gate.js';

describe('a work gate', () => {
  it('runs so many at once, lets so many wait in order, and turns the others away', async () => {
    const gate = new WorkGate(() => ({ running: 2, waiting: 3 }));
    const finish: (() => void)[] = [];
    const started: number[] = [];
    const results = Array.from({ length: 7 }, (_, index) =>
      gate.run('a', async () => {
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

  it('gives the place of who leaves to another, and never begins for it', async () => {
    const gate = new WorkGate(() => ({ running: 1, waiting: 1 }));
    const begun: string[] = [];
    let finish = (): void => {};
    let leave = (): void => {};
    const task = (name: string) => async () => {
      begun.push(name);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return name;
    };
    const first = gate.run('a', task('first'));
    const gone = gate.run('b', task('gone'), (left) => {
      leave = left;
    });
    assert.equal(await gate.run('b', task('too many')), 'busy');
    leave();
    leave();
    assert.equal(await gone, 'left');
    assert.equal(gate.waiting, 0);
    const last = gate.run('b', task('last'));
    finish();
    assert.equal(await first, 'first');
    finish();
    assert.equal(await last, 'last');
    assert.deepEqual(begun, ['first', 'last']);
    leave();
    assert.equal(gate.waiting, 0);
  });

  it('gives the place of a task that fails to the next', async () => {
    const gate = new WorkGate(() => ({ running: 1, waiting: 1 }));
    const failing = gate.run('a', () => Promise.reject(new Error('no')));
    const next = gate.run('a', async () => 'done');
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'done');
    assert.equal(await gate.run('a', async () => 'again'), 'again');
  });

  it('never runs more than it may, however tasks come and go', async () => {
    const gate = new WorkGate(() => ({ running: 3, waiting: 100 }));
    let running = 0;
    let most = 0;
    const task = async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
    };
    await Promise.all(Array.from({ length: 100 }, () => gate.run('a', task)));
    assert.equal(most, 3);
    assert.equal(running, 0);
  });

  it('serves those who wait in turn by key, so that who asks a lot waits behind itself', async () => {
    const gate = new WorkGate(() => ({ running: 1, waiting: 10 }));
    const served: string[] = [];
    const ask = (key: string, name: string) => gate.run(key, async () => void served.push(name));
    await Promise.all([ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3'), ask('a', 'a4'), ask('b', 'b1'), ask('c', 'c1')]);
    assert.deepEqual(served, ['a1', 'a2', 'b1', 'c1', 'a3', 'a4']);
  });

  it('gives whoever comes to a full house the place of the last in the longest queue', async () => {
    const gate = new WorkGate(() => ({ running: 1, waiting: 3 }));
    const ask = (key: string) => gate.run(key, async () => key);
    const answers = [ask('a'), ask('a'), ask('a'), ask('a'), ask('b'), ask('b'), ask('a')];
    assert.deepEqual(await Promise.all(answers), ['a', 'a', 'a', 'busy', 'b', 'busy', 'busy']);
  });

  it('takes other limits at once, and goes down to them as tasks end', async () => {
    const limits = { running: 2, waiting: 10 };
    const gate = new WorkGate(() => limits);
    let running = 0;
    const most: number[] = [];
    const task = async () => {
      most.push(++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    };
    const tasks = Array.from({ length: 8 }, () => gate.run('a', task));
    limits.running = 1;
    await Promise.all(tasks);
    assert.deepEqual(
      most,
      [1, 2, 2, 1, 1, 1, 1, 1].map((count, index) => (index === 2 ? most[2] : count)),
    );
    assert.equal(running, 0);
  });
});
