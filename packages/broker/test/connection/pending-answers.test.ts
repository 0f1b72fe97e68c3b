import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PendingAnswers } from '../../dist/connection/pending-answers.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import { session } from '../storage/records.js';

/** A store whose commits end when the test says so. */
class StepStore extends MemoryStore {
  private made = 0;
  commits = 0;
  private settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  override get durable(): number {
    return this.made;
  }

  stage(): void {
    this.putSession(session('a'));
  }

  override commit(): Promise<void> {
    this.commits++;
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  async succeed(upTo: number): Promise<void> {
    this.made = upTo;
    this.settle?.resolve();
    await new Promise(setImmediate);
  }

  async fail(): Promise<void> {
    this.settle?.reject(new Error('no space left on device'));
    await new Promise(setImmediate);
  }
}

function pending() {
  const store = new StepStore();
  const said: string[] = [];
  const answers = new PendingAnswers(
    store,
    (error) => said.push(`failed: ${error}`),
    () => said.push('none left'),
  );
  const wait = (name: string): void => {
    store.stage();
    answers.afterCommit(
      () => said.push(name),
      () => said.push(`${name} not stored`),
      true,
    );
  };
  return { store, answers, said, wait };
}

test('answers leave with the commit that made them durable, in order, and ask once for each', async () => {
  const { store, answers, said, wait } = pending();
  for (const name of ['a', 'b', 'c']) wait(name);
  answers.inTurn(() => said.push('turn'));
  wait('d');
  assert.equal(store.commits, 1);
  assert.equal(answers.unacknowledged, 4);
  await store.succeed(2);
  assert.deepEqual(said.splice(0), ['a', 'b']);
  assert.equal(answers.unacknowledged, 2);
  assert.equal(store.commits, 2);
  await store.succeed(4);
  assert.deepEqual(said, ['c', 'turn', 'd', 'none left']);
  assert.equal(store.commits, 2);
  assert.ok(!answers.isWaiting);
});

test('when a commit fails, nothing that was staged since the last good one is acknowledged', async () => {
  const { store, answers, said, wait } = pending();
  wait('a');
  wait('b');
  await store.succeed(1);
  wait('c');
  answers.inTurn(() => said.push('turn'));
  await store.fail();
  assert.deepEqual(said, ['a', 'b not stored', 'c not stored', 'turn', 'none left']);
  wait('d');
  await store.succeed(4);
  assert.deepEqual(said.slice(-2), ['d', 'none left']);
});
