import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import type { QueueEntry, Store } from '../../dist/storage/store.js';
import type { StoreFactory } from './harness.js';
import { allRetained, allSessions, entry, message, session, subscription } from './records.js';

/** What a store holds, as simply as it can be written down. */
interface Model {
  readonly sessions: Map<
    string,
    { filters: Set<string>; queue: Map<number, QueueEntry['state']>; received: Set<number>; last: number }
  >;
  readonly retained: Set<string>;
  /** What was read on the way, each to be as the model was at that moment. */
  readonly readings: Promise<void>[];
}

type Operation = (store: Store, model: Model) => void;

const clientId = fc.constantFrom('a', 'b', 'ab', '');
const filter = fc.constantFrom('x', 'x/#', '$share/g/x');
const position = fc.integer({ min: 1, max: 12 });
const packetId = fc.integer({ min: 1, max: 4 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  clientId.map(
    (id): Operation =>
      (store, model) => {
        store.putSession(session(id));
        if (!model.sessions.has(id))
          model.sessions.set(id, { filters: new Set(), queue: new Map(), received: new Set(), last: 0 });
      },
  ),
  clientId.map(
    (id): Operation =>
      (store, model) => {
        store.deleteSession(id);
        model.sessions.delete(id);
      },
  ),
  fc.tuple(clientId, filter, fc.boolean()).map(
    ([id, each, put]): Operation =>
      (store, model) => {
        if (put) store.putSubscription(id, subscription(each));
        else store.deleteSubscription(id, each);
        const filters = model.sessions.get(id)?.filters;
        if (put) filters?.add(each);
        else filters?.delete(each);
      },
  ),
  clientId.map(
    (id): Operation =>
      (store, model) => {
        // Positions of a session only rise.
        const held = model.sessions.get(id);
        const next = (held?.last ?? 0) + 1;
        store.enqueue(id, entry(next));
        if (held === undefined) return;
        held.last = next;
        held.queue.set(next, 'queued');
      },
  ),
  fc.tuple(clientId, position).map(
    ([id, at]): Operation =>
      (store, model) => {
        store.release(id, at);
        const queue = model.sessions.get(id)?.queue;
        if (queue?.has(at)) queue.set(at, 'released');
      },
  ),
  fc.tuple(clientId, position).map(
    ([id, at]): Operation =>
      (store, model) => {
        store.dequeue(id, at);
        model.sessions.get(id)?.queue.delete(at);
      },
  ),
  fc.tuple(clientId, position).map(
    ([id, after]): Operation =>
      (store, model) => {
        store.dequeueFirst(id, after);
        const queue = model.sessions.get(id)?.queue;
        const first = [...(queue?.keys() ?? [])].find((at) => at > after);
        if (first !== undefined) queue?.delete(first);
      },
  ),
  fc.tuple(clientId, position).map(
    ([id, at]): Operation =>
      (store, model) => {
        const after = at - 1;
        const expected = [...(model.sessions.get(id)?.queue ?? [])].filter(([each]) => each > after).slice(0, 3);
        model.readings.push(
          store.readQueue(id, after, 3).then((found) => assert.deepEqual(found.map(progress), expected)),
        );
      },
  ),
  fc.constant<Operation>((store) => void store.commit()),
  fc.tuple(clientId, packetId, fc.boolean()).map(
    ([id, each, put]): Operation =>
      (store, model) => {
        if (put) store.putReceived(id, { packetId: each, message: message('t') });
        else store.deleteReceived(id, each);
        const received = model.sessions.get(id)?.received;
        if (put) received?.add(each);
        else received?.delete(each);
      },
  ),
  fc.tuple(filter, fc.boolean()).map(
    ([topic, put]): Operation =>
      (store, model) => {
        if (put) store.putRetained(message(topic), 'user:anna');
        else store.deleteRetained(topic);
        if (put) model.retained.add(topic);
        else model.retained.delete(topic);
      },
  ),
);

function progress({ position: at, state }: QueueEntry): [number, QueueEntry['state']] {
  return [at, state];
}

async function same(store: Store, model: Model): Promise<void> {
  const found = await allSessions(store);
  assert.deepEqual(new Set(found.keys()), new Set(model.sessions.keys()));
  for (const [id, { filters, queue, received, last }] of model.sessions) {
    const restored = found.get(id);
    assert.deepEqual(new Set(restored?.subscriptions.map((each) => each.filter)), filters);
    assert.deepEqual(new Set(restored?.received.map((each) => each.packetId)), received);
    assert.equal(restored?.queue.count, queue.size);
    assert.equal(restored?.queue.lastPosition, last);
    assert.deepEqual((await store.readQueue(id, 0, 100)).map(progress), [...queue]);
  }
  assert.deepEqual(new Set((await allRetained(store)).keys()), model.retained);
}

/** Any sequence of operations leaves what a plain model of it has, before and after a restart. */
export function storeModel(engine: string, open: StoreFactory, runs = 200): void {
  describe(`The ${engine} store`, () => {
    it('holds what a model of it holds after any sequence of operations', async () => {
      const operations = fc.array(operation, { maxLength: 12, size: 'max' });
      const turns = fc.array(fc.tuple(operations, fc.boolean()), { maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(turns, async (sequence) => {
          const { store, reopen, dispose } = await open();
          const model: Model = { sessions: new Map(), retained: new Set(), readings: [] };
          try {
            for (const [turn, settled] of sequence) {
              for (const each of turn) each(store, model);
              await nextTurn();
              if (!settled) continue;
              await same(store, model);
              await store.commit();
            }
            await Promise.all(model.readings);
            await same(await reopen(), model);
          } finally {
            await dispose();
          }
        }),
        { numRuns: runs },
      );
    });
  });
}
