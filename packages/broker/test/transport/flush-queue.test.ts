import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flushable, FlushQueue } from '../../dist/transport/flush-queue.js';

/** An outbox that only counts. */
class Counter implements Flushable {
  lastLook = 0;
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

/** A turn of ten reads, each for somebody who gets nothing else, and at once. */
async function crowded(queue: FlushQueue): Promise<void> {
  for (let count = 0; count < 10; count++) {
    const outbox = new Counter();
    readFor(queue, [outbox]);
    assert.equal(outbox.flushes, 1);
  }
  await turn();
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

  it('flushes after each read, however many a turn brings, while they are a crowd’s', async () => {
    const queue = new FlushQueue();
    for (let turns = 0; turns < 100; turns++) await crowded(queue);
  });

  it('flushes after the turn when a few get something in every one', async () => {
    const queue = new FlushQueue();
    const outboxes = [new Counter(), new Counter()] as const;
    for (let turns = 0; turns < 40; turns++) {
      for (const outbox of outboxes) readFor(queue, [outbox]);
      await turn();
    }
    const [{ flushes }] = outboxes;
    for (const outbox of outboxes) readFor(queue, [outbox]);
    assert.equal(outboxes[0].flushes, flushes);
    await turn();
    assert.equal(outboxes[0].flushes, flushes + 1);
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

  it('goes back to flushing after each read when a crowd sends', async () => {
    const { queue } = await busy();
    for (let turns = 0; turns < 300; turns++) {
      for (const outbox of Array.from({ length: 10 }, () => new Counter())) readFor(queue, [outbox]);
      await turn();
    }
    await crowded(queue);
  });

  it('goes on gathering, but for one flush now and then, while turns bring several reads for one', async () => {
    const { queue, outbox } = await busy();
    let early = 0;
    for (let turns = 1; turns <= 1_000; turns++) {
      const { flushes } = outbox;
      read(queue, outbox, 10);
      early += outbox.flushes - flushes;
      await turn();
    }
    assert.ok(early > 0 && early <= 10, `${early}`);
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
