import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keepsIn, type StoreFactory } from './harness.js';
import { queueSuite } from './queue.suite.js';
import {
  allRetained,
  allSessions,
  entry,
  fullMessage,
  message,
  plain,
  retainedOwners,
  session,
  subscription,
} from './records.js';

/** What every storage engine has to pass. */
export function storeSuite(engine: string, open: StoreFactory): void {
  const keeps = keepsIn(open);

  describe(`The ${engine} store`, () => {
    keeps(
      'begins with nothing',
      () => {},
      async (store) => {
        assert.equal((await allSessions(store)).size, 0);
        assert.equal((await allRetained(store)).size, 0);
        assert.deepEqual(await store.readQueue('nobody', 0, 10), []);
      },
    );

    it('counts what is staged, and nothing else', async () => {
      const { store, dispose } = await open();
      try {
        let before = store.staged;
        const writes: readonly (() => void)[] = [
          () => store.putSession(session('a')),
          () => store.putSubscription('a', subscription('x')),
          () => store.enqueue('a', entry(1)),
          () => store.enqueue('a', entry(2)),
          () => store.release('a', 1),
          () => store.dequeue('a', 1),
          () => store.dequeueFirst('a', 0),
          () => store.putReceived('a', { packetId: 1, message: message('t') }),
          () => store.deleteReceived('a', 1),
          () => store.deleteSubscription('a', 'x'),
          () => store.putRetained(message('t'), 'user:anna'),
          () => store.deleteRetained('t'),
          () => store.deleteSession('a'),
        ];
        for (const write of writes) {
          write();
          assert.ok(store.staged > before);
          before = store.staged;
        }
        await store.readQueue('a', 0, 1);
        await allSessions(store);
        await allRetained(store);
        await Promise.all([store.commit(), store.commit()]);
        assert.equal(store.staged, before);
      } finally {
        await dispose();
      }
    });
  });

  describe(`Sessions in the ${engine} store`, () => {
    const will = { topic: 'w', payload: Uint8Array.from([9]), qos: 2 as const, retain: true };
    const full = session('full', { expiryInterval: 0xffff_ffff, disconnectedAt: 1_700_000_000_123, will, sentUpTo: 7 });

    keeps(
      'are found as they were put, the last one of a client identifier',
      (store) => {
        store.putSession(session('full', { owner: 'user:old' }));
        store.putSession(full);
        store.putSession(session('é/:\u{1f600}'));
      },
      async (store) => {
        const found = await allSessions(store);
        assert.deepEqual([...found.keys()].sort(), ['full', 'é/:\u{1f600}'].sort());
        const restored = found.get('full');
        assert.deepEqual(
          { ...restored?.session, will: { ...will, payload: Uint8Array.from(restored?.session.will?.payload ?? []) } },
          full,
        );
        assert.deepEqual(restored?.subscriptions, []);
        assert.deepEqual(restored?.received, []);
        assert.deepEqual(restored?.queue, { count: 0, bytes: 0, lastPosition: 0 });
      },
    );

    keeps(
      'keep what belongs to them when they are put again',
      (store) => {
        store.putSession(session('a'));
        store.putSubscription('a', subscription('x'));
        store.enqueue('a', entry(1));
        store.putReceived('a', { packetId: 1, message: undefined });
        store.putSession(session('a', { expiryInterval: 5 }));
      },
      async (store) => {
        const found = (await allSessions(store)).get('a');
        assert.equal(found?.session.expiryInterval, 5);
        assert.equal(found?.subscriptions.length, 1);
        assert.equal(found?.received.length, 1);
        assert.equal(found?.queue.count, 1);
      },
    );

    keeps(
      'go with all that belongs to them, and come back empty',
      (store) => {
        for (const clientId of ['a', 'ab']) {
          store.putSession(session(clientId));
          store.putSubscription(clientId, subscription('x'));
          store.enqueue(clientId, entry(1));
          store.putReceived(clientId, { packetId: 1, message: message('t') });
        }
        store.deleteSession('a');
        store.deleteSession('nobody');
        store.putSession(session('a'));
      },
      async (store) => {
        const found = await allSessions(store);
        const empty = { subscriptions: [], received: [], queue: { count: 0, bytes: 0, lastPosition: 0 } };
        assert.deepEqual(found.get('a'), { session: session('a'), ...empty });
        assert.deepEqual(await store.readQueue('a', 0, 10), []);
        assert.equal(found.get('ab')?.subscriptions.length, 1);
        assert.equal((await store.readQueue('ab', 0, 10)).length, 1);
      },
    );

    keeps(
      'that do not exist keep nothing',
      (store) => {
        store.putSubscription('nobody', subscription('x'));
        store.enqueue('nobody', entry(1));
        store.putReceived('nobody', { packetId: 1, message: undefined });
        store.release('nobody', 1);
        store.dequeue('nobody', 1);
        store.dequeueFirst('nobody', 0);
        store.deleteReceived('nobody', 1);
        store.deleteSubscription('nobody', 'x');
      },
      async (store) => {
        assert.equal((await allSessions(store)).size, 0);
        assert.deepEqual(await store.readQueue('nobody', 0, 10), []);
      },
    );

    keeps(
      'have the last subscription of each filter, until it is deleted',
      (store) => {
        store.putSession(session('a'));
        store.putSubscription('a', subscription('x', { qos: 0 }));
        store.putSubscription('a', subscription('$share/g/#', { qos: 2 }));
        store.putSubscription('a', subscription('gone'));
        const changed = { noLocal: true, retainAsPublished: true, retainHandling: 2, identifier: 268_435_455 } as const;
        store.putSubscription('a', subscription('x', changed));
        store.deleteSubscription('a', 'gone');
        store.deleteSubscription('a', 'unknown');
      },
      async (store) => {
        const { subscriptions = [] } = (await allSessions(store)).get('a') ?? {};
        const byFilter = new Map(subscriptions.map((each) => [each.filter, each]));
        assert.deepEqual([...byFilter.keys()].sort(), ['$share/g/#', 'x']);
        const changed = { noLocal: true, retainAsPublished: true, retainHandling: 2, identifier: 268_435_455 } as const;
        assert.deepEqual(byFilter.get('x'), subscription('x', changed));
        assert.deepEqual(byFilter.get('$share/g/#'), subscription('$share/g/#', { qos: 2 }));
      },
    );

    keeps(
      'have the QoS 2 messages that were received and not released',
      (store) => {
        store.putSession(session('a'));
        store.putReceived('a', { packetId: 65_535, message: fullMessage });
        store.putReceived('a', { packetId: 1, message: message('t') });
        store.putReceived('a', { packetId: 1, message: undefined });
        store.putReceived('a', { packetId: 2, message: message('t') });
        store.deleteReceived('a', 2);
      },
      async (store) => {
        const { received = [] } = (await allSessions(store)).get('a') ?? {};
        const byId = new Map(received.map((each) => [each.packetId, each.message && plain(each.message)]));
        assert.deepEqual(
          byId,
          new Map([
            [1, undefined],
            [65_535, fullMessage],
          ]),
        );
      },
    );
  });

  queueSuite(engine, open);

  describe(`Retained messages in the ${engine} store`, () => {
    keeps(
      'are the last of each topic, until they are deleted',
      (store) => {
        store.putRetained(message('a', { payload: Uint8Array.from([0]) }), 'user:anna');
        store.putRetained(message('a'), 'user:anna');
        store.putRetained({ ...fullMessage, topic: '/' }, 'user:anna');
        store.putRetained(message('gone'), 'user:anna');
        store.deleteRetained('gone');
        store.deleteRetained('unknown');
      },
      async (store) => {
        const expected = new Map([
          ['a', message('a')],
          ['/', { ...fullMessage, topic: '/' }],
        ]);
        assert.deepEqual(await allRetained(store), expected);
        const some = await store.readRetained(['gone', '/', 'unknown', 'a']);
        assert.deepEqual(new Map(some.map((each) => [each.topic, plain(each)])), expected);
        assert.deepEqual(await store.readRetained([]), []);
      },
    );

    keeps(
      'are those of whoever published them last, or of nobody known',
      (store) => {
        store.putRetained(message('a'), 'user:anna');
        store.putRetained(message('a'), 'user:bert');
        store.putRetained({ ...fullMessage, topic: 'b' }, 'anonymous');
        store.putRetained(message('c', { publisher: 'somebody' }), undefined);
        store.putRetained(message('d'), `user:${'é'.repeat(40_000)}`);
      },
      async (store) => {
        assert.deepEqual(
          await retainedOwners(store),
          new Map([
            ['a', 'user:bert'],
            ['b', 'anonymous'],
            ['c', undefined],
            ['d', `user:${'é'.repeat(40_000)}`],
          ]),
        );
      },
    );
  });
}
