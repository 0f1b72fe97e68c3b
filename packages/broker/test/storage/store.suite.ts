import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  MessageRecord,
  QueueEntry,
  RestoredSession,
  SessionRecord,
  Store,
  SubscriptionRecord,
} from '../../dist/storage/store.js';

/** A store of its own for one test. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again: whoever is to keep nothing hands out the same one. */
  reopen(): Promise<Store>;
  dispose(): Promise<void>;
}

export type StoreFactory = () => Promise<StoreUnderTest>;

export const session = (clientId: string, fields: Partial<SessionRecord> = {}): SessionRecord => ({
  clientId,
  owner: 'user:anna',
  expiryInterval: 60,
  disconnectedAt: undefined,
  will: undefined,
  sentUpTo: 0,
  ...fields,
});

export const subscription = (filter: string, fields: Partial<SubscriptionRecord> = {}): SubscriptionRecord => ({
  filter,
  qos: 1,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  identifier: 0,
  ...fields,
});

export const message = (topic: string, fields: Partial<MessageRecord> = {}): MessageRecord => ({
  topic,
  payload: Uint8Array.from([1, 2, 3]),
  qos: 1,
  retain: false,
  properties: undefined,
  expiresAt: Number.POSITIVE_INFINITY,
  publisher: undefined,
  ...fields,
});

export const entry = (position: number, fields: Partial<QueueEntry> = {}): QueueEntry => ({
  position,
  message: message('t'),
  qos: 1,
  retain: false,
  subscriptionIdentifiers: undefined,
  sharedFilter: undefined,
  state: 'queued',
  ...fields,
});

/** Everything that a message may hold, at the ends of its ranges. */
export const fullMessage: MessageRecord = message('a/é/\u{1f600}', {
  payload: Uint8Array.from({ length: 256 }, (_, byte) => byte),
  qos: 2,
  retain: true,
  properties: {
    payloadFormatIndicator: 0,
    contentType: '',
    responseTopic: 'answers',
    correlationData: Uint8Array.from([0, 255]),
    userProperties: [
      ['b', '1'],
      ['__proto__', ''],
      ['b', '2'],
    ],
  },
  expiresAt: 4_102_444_800_000,
  publisher: 'somebody',
});

export async function allSessions(store: Store): Promise<Map<string, RestoredSession>> {
  const found = new Map<string, RestoredSession>();
  for await (const each of store.sessions()) found.set(each.session.clientId, each);
  return found;
}

export async function allRetained(store: Store): Promise<Map<string, MessageRecord>> {
  const found = new Map<string, MessageRecord>();
  for await (const each of store.retained()) found.set(each.topic, plain(each));
  return found;
}

/** With bytes that compare by value, whatever class a store makes them. */
export function plain(record: MessageRecord): MessageRecord {
  const { properties } = record;
  const correlationData = properties?.correlationData;
  return {
    ...record,
    payload: Uint8Array.from(record.payload),
    properties:
      correlationData === undefined ? properties : { ...properties, correlationData: Uint8Array.from(correlationData) },
  };
}

const positions = (entries: readonly QueueEntry[]): number[] => entries.map(({ position }) => position);

/** What every storage engine has to pass. */
export function storeSuite(engine: string, open: StoreFactory): void {
  /** A test that looks at the store twice: as it is, and as it is found after a restart. */
  function keeps(title: string, write: (store: Store) => void, look: (store: Store) => Promise<void>): void {
    it(title, async () => {
      const { store, reopen, dispose } = await open();
      try {
        write(store);
        await look(store);
        await store.commit();
        await look(await reopen());
      } finally {
        await dispose();
      }
    });
  }

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
          () => store.putRetained(message('t')),
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

  describe(`Retained messages in the ${engine} store`, () => {
    keeps(
      'are the last of each topic, until they are deleted',
      (store) => {
        store.putRetained(message('a', { payload: Uint8Array.from([0]) }));
        store.putRetained(message('a'));
        store.putRetained({ ...fullMessage, topic: '/' });
        store.putRetained(message('gone'));
        store.deleteRetained('gone');
        store.deleteRetained('unknown');
      },
      async (store) => {
        const expected = new Map([
          ['a', message('a')],
          ['/', { ...fullMessage, topic: '/' }],
        ]);
        assert.deepEqual(await allRetained(store), expected);
      },
    );
  });
}
