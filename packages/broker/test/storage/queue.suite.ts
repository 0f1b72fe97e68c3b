import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageSize } from '../../dist/storage/message-size.js';
import type { QueueEntry, Store } from '../../dist/storage/store.js';
import { keepsIn, type StoreFactory } from './harness.js';
import { allSessions, entry, fullMessage, message, plain, session } from './records.js';

const positions = (entries: readonly QueueEntry[]): number[] => entries.map(({ position }) => position);

/** What every storage engine has to pass about queues. */
export function queueSuite(engine: string, open: StoreFactory): void {
  const keeps = keepsIn(open);

  describe(`Queues in the ${engine} store`, () => {
    keeps(
      'are read in the order of positions, from anywhere and as far as asked',
      (store) => {
        store.putSession(session('a'));
        for (const position of [1, 2, 3, 5, 255, 256, 65_536, 4_294_967_297]) store.enqueue('a', entry(position));
      },
      async (store) => {
        assert.deepEqual(positions(await store.readQueue('a', 0, 3)), [1, 2, 3]);
        assert.deepEqual(positions(await store.readQueue('a', 3, 3)), [5, 255, 256]);
        assert.deepEqual(positions(await store.readQueue('a', 4, 100)), [5, 255, 256, 65_536, 4_294_967_297]);
        assert.deepEqual(await store.readQueue('a', 4_294_967_297, 100), []);
      },
    );

    const shared = {
      subscriptionIdentifiers: [1, 268_435_455],
      sharedFilter: '$share/g/t',
      retain: true,
      qos: 2,
    } as const;
    keeps(
      'hold messages as they were put, one in many of them too',
      (store) => {
        for (const clientId of ['a', 'b']) {
          store.putSession(session(clientId));
          store.enqueue(clientId, entry(1, { message: fullMessage, ...shared }));
        }
        store.dequeue('b', 1);
      },
      async (store) => {
        const [found] = await store.readQueue('a', 0, 1);
        assert.deepEqual(
          found && { ...found, message: plain(found.message) },
          entry(1, { message: fullMessage, ...shared }),
        );
        assert.deepEqual(await store.readQueue('b', 0, 1), []);
      },
    );

    keeps(
      'lose what is dequeued, and the first behind a position whichever it is',
      (store) => {
        store.putSession(session('a'));
        for (const position of [1, 2, 4, 7, 8]) store.enqueue('a', entry(position));
        store.dequeue('a', 4);
        store.dequeue('a', 5);
        store.dequeueFirst('a', 2);
        store.dequeueFirst('a', 8);
      },
      async (store) => assert.deepEqual(positions(await store.readQueue('a', 0, 10)), [1, 2, 8]),
    );

    it('say what the first behind a position counted for', async () => {
      const { store, dispose } = await open();
      try {
        store.putSession(session('a'));
        store.enqueue('a', entry(1, { message: message('t', { payload: Buffer.alloc(10) }) }));
        store.enqueue('a', entry(3, { message: fullMessage }));
        const sizes = [store.dequeueFirst('a', 0), store.dequeueFirst('a', 0), store.dequeueFirst('a', 0)];
        await store.commit();
        const { topic, payload, properties } = fullMessage;
        assert.deepEqual(await Promise.all(sizes), [11, messageSize(topic, payload.length, properties), 0]);
      } finally {
        await dispose();
      }
    });

    keeps(
      'keep the place and the identifier of a message that was released',
      (store) => {
        store.putSession(session('a'));
        for (const position of [1, 2, 3]) store.enqueue('a', entry(position, { qos: 2 }));
        store.release('a', 2);
        store.release('a', 9);
      },
      async (store) => {
        const entries = await store.readQueue('a', 0, 10);
        const states = entries.map(({ position, state }) => [position, state]);
        assert.deepEqual(states, [
          [1, 'queued'],
          [2, 'released'],
          [3, 'queued'],
        ]);
      },
    );

    keeps(
      'are counted, in bytes of payload and topic too',
      (store) => {
        store.putSession(session('a'));
        for (const position of [1, 2, 3]) store.enqueue('a', entry(position, { message: message('four') }));
        store.dequeue('a', 1);
      },
      async (store) =>
        assert.deepEqual((await allSessions(store)).get('a')?.queue, { count: 2, bytes: 14, lastPosition: 3 }),
    );

    keeps(
      'know their last position when they are empty: packet identifiers go on from there',
      (store) => {
        store.putSession(session('a'));
        store.enqueue('a', entry(41));
        store.dequeue('a', 41);
      },
      async (store) =>
        assert.deepEqual((await allSessions(store)).get('a')?.queue, { count: 0, bytes: 0, lastPosition: 41 }),
    );

    const changes: readonly [string, (store: Store) => void, expected: readonly [number, string][]][] = [
      ['an entry that was added', (store) => store.enqueue('a', entry(4)), [[2, 'queued'], [3, 'queued'], [4, 'queued']]], // biome-ignore format: a table
      [
        'an entry that was released',
        (store) => store.release('a', 3),
        [
          [2, 'queued'],
          [3, 'released'],
        ],
      ],
      ['an entry that was removed', (store) => store.dequeue('a', 2), [[3, 'queued']]],
      ['the first, removed', (store) => void store.dequeueFirst('a', 1), [[3, 'queued']]],
      ['a session that was deleted', (store) => store.deleteSession('a'), []],
    ];
    for (const [what, change, expected] of changes)
      it(`are read with what is staged and not durable yet: ${what}`, async () => {
        const { store, dispose } = await open();
        try {
          store.putSession(session('a'));
          for (const position of [1, 2, 3]) store.enqueue('a', entry(position, { qos: 2 }));
          await store.commit();
          change(store);
          const found = await store.readQueue('a', 1, 10);
          assert.deepEqual(
            found.map(({ position, state }) => [position, state]),
            expected,
          );
        } finally {
          await dispose();
        }
      });

    it('are read as they are when they are asked for, whatever is staged behind', async () => {
      const { store, dispose } = await open();
      try {
        store.putSession(session('a'));
        store.enqueue('a', entry(1));
        const reading = store.readQueue('a', 0, 10);
        store.deleteSession('a');
        assert.deepEqual(positions(await reading), [1]);
        assert.deepEqual(await store.readQueue('a', 0, 10), []);
      } finally {
        await dispose();
      }
    });
  });
}
