import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flushable, FlushQueue } from '../../dist/transport/flush-queue.js';

/** An outbox that only counts. */
class Counter implements Flushable {
  flushes = 0;

  flush(): void {
    this.flushes++;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A read that has something to send to each. */
function readFor(queue: FlushQueue, outboxes: readonly Counter[]): void {
  queue.beginRead();
  for (const outbox of outboxes) queue.add(outbox);
  queue.endRead();
}

/** Reads that each have something to send to one, all within this turn of the loop. */
function read(queue: FlushQueue, outbox: Counter, times: number): void {
  for (let count = 0; count < times; count++) readFor(queue, [outbox]);
}

/** A queue that has seen a turn of many reads for one. */
async function busy(): Promise<{ queue: FlushQueue; outbox: Counter }> {
  const queue = new FlushQueue();
  read(queue, new Counter(), 100);
  await turn();
  return { queue, outbox: new Counter() };
}

describe('The flush queue', () => {
  it('flushes after each read while a turn of the loop brings one', async () => {
    const queue = new FlushQueue();
    const outbox = new Counter();
    for (let reads = 1; reads <= 200; reads++) {
      read(queue, outbox, 1);
      assert.equal(outbox.flushes, reads);
      await turn();
    }
  });

  it('flushes after each read, however many a turn brings, while each is for somebody else', async () => {
    const queue = new FlushQueue();
    const outboxes = Array.from({ length: 10 }, () => new Counter());
    for (let turns = 1; turns <= 100; turns++) {
      for (const outbox of outboxes) {
        readFor(queue, [outbox]);
        assert.equal(outbox.flushes, turns);
      }
      await turn();
    }
  });

  it('flushes after the turn when it brings several reads for one, beside what each answers', async () => {
    const queue = new FlushQueue();
    const outbox = new Counter();
    const publishers = Array.from({ length: 100 }, () => new Counter());
    for (const publisher of publishers) readFor(queue, [publisher, outbox]);
    assert.equal(outbox.flushes, 33); // after 32 reads it is looked, and the next finds it flushed already
    await turn();
    const { flushes } = outbox;
    read(queue, outbox, 10);
    assert.equal(outbox.flushes, flushes);
    await turn();
    assert.equal(outbox.flushes, flushes + 10); // an outbox adds itself once; this one did ten times
  });

  it('does not make what presses wait for the end of the turn', async () => {
    const { queue, outbox } = await busy();
    read(queue, outbox, 1);
    queue.beginRead();
    queue.press();
    queue.endRead();
    assert.equal(outbox.flushes, 1);
    read(queue, outbox, 1);
    assert.equal(outbox.flushes, 1);
    await turn();
    assert.equal(outbox.flushes, 2);
  });

  it('goes back to flushing after each read when each is for somebody else again', async () => {
    const { queue } = await busy();
    const outboxes = Array.from({ length: 10 }, () => new Counter());
    for (let turns = 0; turns < 100; turns++) {
      for (const outbox of outboxes) readFor(queue, [outbox]);
      await turn();
    }
    for (const outbox of outboxes) {
      readFor(queue, [outbox]);
      assert.equal(outbox.flushes, 101);
    }
  });

  it('goes on gathering, but for one flush now and then, while turns bring several reads for one', async () => {
    const { queue, outbox } = await busy();
    let early = 0;
    for (let turns = 1; turns <= 320; turns++) {
      const { flushes } = outbox;
      read(queue, outbox, 10);
      early += outbox.flushes - flushes;
      await turn();
    }
    assert.ok(early > 0 && early <= 20, `${early}`);
  });

  it('goes back to flushing after each read when turns bring single ones again', async () => {
    const { queue, outbox } = await busy();
    for (let turns = 0; turns < 100; turns++) {
      read(queue, outbox, 1);
      await turn();
    }
    const { flushes } = outbox;
    read(queue, outbox, 1);
    assert.equal(outbox.flushes, flushes + 1);
  });

  it('flushes what is added outside a read at the end of the microtasks, however busy it is', async () => {
    const { queue, outbox } = await busy();
    queue.add(outbox);
    assert.equal(outbox.flushes, 0);
    await Promise.resolve();
    assert.equal(outbox.flushes, 1);
  });
});
