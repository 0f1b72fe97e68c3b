import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Accounts } from '../../dist/guard/accounts.js';
import { Message } from '../../dist/routing/message.js';
import { type Publisher, RetainedMessages } from '../../dist/routing/retained.js';
import { matches, topicFilter, topicName } from './naive.js';

const unlimited = { max_retained_messages: 1_000, max_retained_bytes: 1_000_000, retained_cache_bytes: 1_000_000 };
const now = 1_000;

interface Step {
  readonly topic: string;
  readonly size: number;
  /** Undefined deletes. */
  readonly expiresAt: number | undefined;
}

const step: fc.Arbitrary<Step> = fc.record({
  topic: topicName,
  size: fc.integer({ min: 0, max: 20 }),
  expiresAt: fc.constantFrom(undefined, now - 1, now, now + 1, Number.POSITIVE_INFINITY),
});

const messageOf = ({ topic, size, expiresAt = 0 }: Step): Message =>
  Message.of(topic, new Uint8Array(size), { retain: true, expiresAt });

/** The tree and a plain map by topic, after the same steps. */
function both(steps: readonly Step[]): { retained: RetainedMessages; all: Map<string, Message> } {
  const retained = new RetainedMessages(unlimited);
  const all = new Map<string, Message>();
  for (const each of steps) {
    if (each.expiresAt === undefined) assert.equal(retained.delete(each.topic), all.delete(each.topic));
    else {
      const message = messageOf(each);
      retained.set(message, true, undefined);
      all.set(each.topic, message);
    }
  }
  return { retained, all };
}

const topicsOf = (messages: Iterable<{ readonly topic: string } | undefined>): string[] =>
  [...messages].flatMap((each) => each?.topic ?? []).sort();

describe('Retained messages', () => {
  it('that a filter matches are those that looking at every topic finds [MQTT-3.3.1-9] [MQTT-4.7.2-1] [MQTT3-3.3.1-6]', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40, size: 'max' }),
        fc.array(topicFilter, { minLength: 1, maxLength: 8 }),
        (steps, filters) => {
          const { retained, all } = both(steps);
          for (const filter of filters) {
            const expected = [...all.values()].filter(
              ({ topic, expiresAt }) => expiresAt > now && matches(filter, topic),
            );
            assert.deepEqual(topicsOf(retained.match(filter, now)), topicsOf(expected));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are counted with their bytes, one for each topic [MQTT-3.3.1-5]', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const { retained, all } = both(steps);
        assert.equal(retained.count, all.size);
        assert.equal(
          retained.bytes,
          [...all.values()].reduce((sum, { size }) => sum + size, 0),
        );
        assert.deepEqual(
          topicsOf([...retained.match('#', 0), ...retained.match('$x/#', 0), ...retained.match('$/#', 0)]),
          topicsOf(all.values()),
        );
        for (const [topic, message] of all) assert.equal(retained.get(topic), message);
      }),
    );
  });

  it('leave nothing behind when the last of them is removed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const { retained, all } = both(steps);
        for (const topic of all.keys()) assert.equal(retained.delete(topic), true);
        const empty = both([]).retained;
        Reflect.set(empty, 'changeCount', retained.changes);
        assert.deepEqual(retained, empty);
      }),
    );
  });

  it('go when their time has come, and no other [MQTT-3.3.2-5]', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const { retained, all } = both(steps);
        const expired = [...all.values()].filter(({ expiresAt }) => expiresAt <= now);
        assert.deepEqual(retained.expire(now).sort(), topicsOf(expired));
        assert.equal(retained.count, all.size - expired.length);
        assert.deepEqual(retained.expire(now), []);
      }),
    );
  });

  it('have room up to their limits, where a replacement costs what it adds', () => {
    const retained = new RetainedMessages({ ...unlimited, max_retained_messages: 2, max_retained_bytes: 20 });
    retained.set(Message.of('a', new Uint8Array(9)), true, undefined);
    assert.equal(retained.shortage('b', 10, undefined), undefined);
    assert.equal(retained.shortage('b', 11, undefined), 'max_retained_bytes');
    retained.set(Message.of('b', new Uint8Array(4)), true, undefined);
    assert.equal(retained.shortage('c', 1, undefined), 'max_retained_messages');
    assert.equal(retained.shortage('a', 15, undefined), undefined);
    assert.equal(retained.shortage('a', 16, undefined), 'max_retained_bytes');
  });

  it('have room up to what their publisher may have, whoever has what they replace', () => {
    const retained = new RetainedMessages(unlimited);
    const limits = { max_retained_messages_per_user: 2, max_retained_bytes_per_user: 20 };
    const [anna, bert] = ['user:anna', 'user:bert'].map((owner) => ({ owner, limits })) as [Publisher, Publisher];
    retained.set(Message.of('a', new Uint8Array(9)), true, anna.owner);
    assert.equal(retained.shortage('b', 10, anna), undefined);
    assert.equal(retained.shortage('b', 11, anna), 'max_retained_bytes_per_user');
    assert.equal(retained.shortage('b', 11, bert), undefined);
    retained.set(Message.of('b', new Uint8Array(4)), true, anna.owner);
    assert.equal(retained.shortage('c', 1, anna), 'max_retained_messages_per_user');
    assert.equal(retained.shortage('a', 15, anna), undefined);
    assert.equal(retained.shortage('a', 16, anna), 'max_retained_bytes_per_user');
    retained.set(Message.of('x', new Uint8Array(0)), true, bert.owner);
    retained.set(Message.of('a', new Uint8Array(9)), true, bert.owner); // takes the topic from the other
    assert.equal(retained.shortage('b', 6, bert), 'max_retained_messages_per_user');
    assert.equal(retained.shortage('c', 10, anna), undefined);
    // A limit below what there is: what becomes no larger may be replaced.
    const less = { owner: bert.owner, limits: { max_retained_messages_per_user: 1, max_retained_bytes_per_user: 5 } };
    assert.equal(retained.shortage('a', 10, less), undefined);
    assert.equal(retained.shortage('a', 11, less), 'max_retained_bytes_per_user');
    assert.equal(retained.shortage('c', 1, less), 'max_retained_messages_per_user');
  });

  it('are counted for their publishers, of whom nothing is left that has none', () => {
    const owner = fc.constantFrom('user:anna', 'user:bert', undefined);
    fc.assert(
      fc.property(fc.array(fc.tuple(step, owner), { maxLength: 40, size: 'max' }), (steps) => {
        const accounts = new Accounts();
        const retained = new RetainedMessages(unlimited, accounts);
        const all = new Map<string, { size: number; owner: string | undefined }>();
        for (const [each, whose] of steps) {
          const message = messageOf(each);
          if (each.expiresAt === undefined) retained.delete(each.topic);
          else retained.set(message, true, whose);
          if (each.expiresAt === undefined) all.delete(each.topic);
          else all.set(each.topic, { size: message.size, owner: whose });
        }
        for (const each of ['user:anna', 'user:bert']) {
          const theirs = [...all.values()].filter(({ owner: whose }) => whose === each);
          const bytes = theirs.reduce((sum, { size }) => sum + size, 0);
          const { retainedMessages = 0, retainedBytes = 0 } = accounts.get(each) ?? {};
          assert.deepEqual([retainedMessages, retainedBytes], [theirs.length, bytes]);
          assert.equal(accounts.get(each) === undefined, theirs.length === 0);
        }
      }),
    );
  });

  it('may be replaced and removed while a subscriber is still being given them', () => {
    const retained = new RetainedMessages(unlimited);
    for (const topic of ['a/1', 'a/2', 'a/3']) retained.set(Message.of(topic, new Uint8Array(1)), true, undefined);
    const feed = retained.match('#', now);
    const first = feed.next().value as { topic: string };
    for (const topic of topicsOf(retained.match('#', now))) if (topic !== first.topic) retained.delete(topic);
    retained.set(Message.of('b', new Uint8Array(1)), true, undefined);
    for (const match of feed) assert.equal(match && retained.get(match.topic), match?.message);
  });

  it('are at hand as far as the cache goes, those asked for last, and those that no store has for good', () => {
    const retained = new RetainedMessages({ ...unlimited, retained_cache_bytes: 33 });
    const of = (topic: string): Message => Message.of(topic, new Uint8Array(10));
    for (const topic of ['a', 'b', 'c']) retained.set(of(topic), true, undefined);
    assert.ok(retained.get('a'));
    retained.set(of('d'), true, undefined);
    retained.set(of('$SYS/x'), false, undefined);
    const atHand = (): string => ['a', 'b', 'c', 'd', '$SYS/x'].filter((topic) => retained.get(topic)).join(' ');
    assert.equal(atHand(), 'a c d $SYS/x');
    assert.equal(retained.count, 5);
    assert.equal([...retained.match('b', now)][0]?.message, undefined);
    retained.bringBack(of('b'), retained.changes);
    assert.equal(atHand(), 'b c d $SYS/x');
    retained.delete('b');
    retained.bringBack(of('b'), retained.changes);
    assert.equal(retained.get('b'), undefined);
    retained.set(Message.of('large', new Uint8Array(34)), true, undefined);
    assert.equal(retained.get('large'), undefined);
    assert.equal(retained.changedAt('large'), retained.changes);
    retained.bringBack(of('large'), retained.changes - 1);
    assert.equal(retained.get('large'), undefined);
  });

  it('let others come in between, however many a filter passes over', () => {
    const retained = new RetainedMessages({ ...unlimited, max_retained_messages: 100_000 });
    for (let each = 0; each < 10_000; each++)
      retained.note({ topic: `${each}/x`, size: 1, expiresAt: Number.POSITIVE_INFINITY, owner: undefined });
    retained.note({ topic: 'wanted/y', size: 1, expiresAt: Number.POSITIVE_INFINITY, owner: undefined });
    const found = [...retained.match('+/y', now)];
    assert.deepEqual(topicsOf(found), ['wanted/y']);
    assert.ok(found.length >= 5);
  });
});
