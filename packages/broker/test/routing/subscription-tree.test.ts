import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { QoS } from '@moat/codec';
import fc from 'fast-check';
import type { Subscriber } from '../../dist/routing/subscriber.js';
import type { Subscription, SubscriptionOptions } from '../../dist/routing/subscription.js';
import { SubscriptionTree } from '../../dist/routing/subscription-tree.js';
import { anyFilter, matches, sharedParts, topicFilter, topicName } from './naive.js';

const subscriberNamed = (clientId: string): Subscriber => ({
  clientId,
  stored: false,
  available: true,
  deliver() {},
  mayReceive: () => true,
});
const subscribers = ['anna', 'ben', 'carl'].map(subscriberNamed);
const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 } as const;

interface Step {
  readonly who: Subscriber;
  readonly filter: string;
  readonly add: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.constantFrom(...subscribers),
  filter: anyFilter,
  add: fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});

function optionsOf(subscription: Subscription | undefined): SubscriptionOptions | undefined {
  if (subscription === undefined) return undefined;
  const { qos, noLocal, retainAsPublished, retainHandling, identifier } = subscription;
  return { qos, noLocal, retainAsPublished, retainHandling, identifier };
}

const key = (who: Subscriber, filter: string): string => `${who.clientId} ${filter}`;

/** The tree and a plain set of all subscriptions, after the same steps. */
function both(steps: readonly Step[]): { tree: SubscriptionTree; all: Map<string, Step> } {
  const tree = new SubscriptionTree();
  const all = new Map<string, Step>();
  for (const each of steps) {
    const { who, filter, add } = each;
    const known = all.has(key(who, filter));
    assert.equal(tree.get(who, filter) !== undefined, known);
    if (add) {
      assert.equal(tree.set(who, filter, options).isNew, !known);
      all.set(key(who, filter), each);
    } else {
      assert.equal(tree.delete(who, filter) !== undefined, known);
      all.delete(key(who, filter));
    }
    assert.equal(tree.size, all.size);
  }
  return { tree, all };
}

describe('The subscription tree', () => {
  it('finds for a topic what looking at every filter finds [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] [MQTT-4.7.3-4]', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40, size: 'max' }),
        fc.array(topicName, { minLength: 1, maxLength: 10 }),
        (steps, topics) => {
          const { tree, all } = both(steps);
          for (const topic of topics) {
            const { individual, groups } = tree.match(topic);
            const found = individual.map(({ subscriber, filter }) => key(subscriber, filter));
            const shared = groups.flatMap((group) =>
              group.all().map(({ subscriber, filter }) => key(subscriber, filter)),
            );
            const expected = [...all.values()].filter(({ filter }) =>
              matches(sharedParts(filter)?.inner ?? filter, topic),
            );
            const keys = (isShared: boolean): string[] =>
              expected
                .filter(({ filter }) => (sharedParts(filter) !== undefined) === isShared)
                .map(({ who, filter }) => key(who, filter))
                .sort();
            assert.deepEqual(found.sort(), keys(false));
            assert.deepEqual(shared.sort(), keys(true));
            const names = expected.map(({ filter }) => filter).filter((filter) => sharedParts(filter) !== undefined);
            assert.equal(groups.length, new Set(names).size);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps nothing of what was removed, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), topicName, (steps, topic) => {
        const { tree, all } = both(steps);
        for (const { who, filter } of all.values()) assert.equal(tree.delete(who, filter)?.filter, filter);
        assert.equal(tree.size, 0);
        assert.deepEqual(tree.match(topic), { individual: [], groups: [] });
        assert.deepEqual(tree, new SubscriptionTree());
      }),
      { numRuns: 300 },
    );
  });

  it('changes the options of a subscription that is there, where it stands [MQTT-3.8.4-3]', () => {
    const any = fc
      .tuple(
        fc.constantFrom<QoS[]>(0, 1, 2),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2),
        fc.nat(268_435_455),
      )
      .map(([qos, noLocal, retainAsPublished, retainHandling, identifier]) => ({
        qos,
        noLocal,
        retainAsPublished,
        retainHandling,
        identifier,
      }));
    fc.assert(
      fc.property(anyFilter, fc.array(any, { minLength: 2, maxLength: 5 }), (filter, all) => {
        const tree = new SubscriptionTree();
        const [anna, ben] = subscribers as [Subscriber, Subscriber];
        const { place } = tree.set(anna, filter, options);
        tree.set(ben, filter, options);
        for (const changed of all) {
          assert.deepEqual(tree.set(anna, filter, changed), { place, isNew: false });
          assert.deepEqual(optionsOf(tree.get(anna, filter)), changed);
          assert.deepEqual(optionsOf(tree.get(ben, filter)), options);
        }
        assert.equal(place.filter, filter);
      }),
    );
  });

  it('has a group for each share name of a filter, and none for other filters', () => {
    fc.assert(
      fc.property(topicFilter, (filter) => {
        const tree = new SubscriptionTree();
        for (const who of subscribers) tree.set(who, `$share/g/${filter}`, options);
        assert.equal(tree.group(`$share/g/${filter}`)?.size, subscribers.length);
        assert.equal(tree.group(`$share/h/${filter}`), undefined);
        assert.equal(tree.group(filter), undefined);
      }),
    );
  });

  it('takes filters of more levels than a stack has room for', () => {
    const tree = new SubscriptionTree();
    const [anna] = subscribers as [Subscriber];
    const deep = `${'/'.repeat(60_000)}#`;
    tree.set(anna, deep, options);
    assert.equal(tree.match('/'.repeat(65_535)).individual.length, 1);
    assert.equal(tree.match('/'.repeat(59_000)).individual.length, 0);
    assert.equal(tree.delete(anna, deep)?.filter, deep);
    assert.deepEqual(tree, new SubscriptionTree());
  });
});
