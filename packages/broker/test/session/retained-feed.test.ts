import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Message } from '../../dist/routing/message.js';
import { RetainedMessages } from '../../dist/routing/retained.js';
import { RetainedFeed } from '../../dist/session/retained-feed.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import { turn } from './client.js';

const now = 1_000;

/** Retained messages of which the first `atHand` bytes are in memory, all in the store, and a feed of them. */
function feeding(topics: readonly string[], atHand: number, filter = '#') {
  const store = new MemoryStore();
  const retained = new RetainedMessages({
    max_retained_messages: 100_000,
    max_retained_bytes: 10_000_000,
    retained_cache_bytes: atHand,
  });
  const publish = (topic: string, payload: string): void => {
    const message = Message.of(topic, Buffer.from(payload), { retain: true });
    retained.set(message, true, undefined);
    store.putRetained(message.keep(), undefined);
  };
  for (const topic of topics) publish(topic, 'old');
  let wake: () => void = () => {};
  const feed = new RetainedFeed(retained.match(filter, now), retained, store, () => wake());
  const remove = (topic: string): void => {
    retained.delete(topic);
    store.deleteRetained(topic);
  };
  /** All that is still to come. */
  async function rest(): Promise<string[]> {
    const found: string[] = [];
    for (;;) {
      const message = feed.next();
      if (message !== undefined) found.push(`${message.topic} ${Buffer.from(message.payload)}`);
      else if (feed.isOver) return found;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  return { feed, publish, remove, rest };
}

const numbered = Array.from({ length: 1_000 }, (_, index) => `t/${index}`);

describe('The retained messages for a new subscription', () => {
  for (const [where, atHand] of [
    ['the store', 0],
    ['memory', 1_000_000],
    ['both', 2_000],
  ] as const)
    it(`all come once from ${where}`, async () => {
      const { rest, feed } = feeding(numbered, atHand);
      assert.deepEqual((await rest()).sort(), numbered.map((topic) => `${topic} old`).sort());
      assert.equal(feed.isOver, true);
      assert.equal(feed.next(), undefined);
    });

  it('come at once when they are at hand', () => {
    const { feed } = feeding(['a', 'b'], 1_000);
    assert.deepEqual([feed.next()?.topic, feed.next()?.topic, feed.next()], ['a', 'b', undefined]);
    assert.equal(feed.isOver, true);
  });

  for (const atHand of [0, 1_000])
    it(`are never older than one that was published meanwhile, nor of a topic that has none (${atHand} bytes at hand)`, async () => {
      const { feed, publish, remove, rest } = feeding(['a', 'b', 'c', 'd'], atHand);
      const first = feed.next(); // begins to read
      await turn();
      publish('c', 'new');
      remove('d');
      const all = [...(first === undefined ? [] : ['a old']), ...(await rest())];
      assert.deepEqual(all.sort(), ['a old', 'b old', 'c new']);
    });

  it('come after those that it does not match, in turns of their own', async () => {
    const others = Array.from({ length: 5_000 }, (_, index) => `${index}/x`);
    const { feed, rest } = feeding([...others, 'wanted/y'], 0, '+/y');
    assert.equal(feed.next(), undefined);
    assert.equal(feed.isOver, false);
    assert.deepEqual(await rest(), ['wanted/y old']);
  });
});
