import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allSessions } from '../storage/records.js';
import { Desk, Peer, SlowStore, turn } from './client.js';

type Event =
  | { readonly kind: 'push'; readonly qos: 1 | 2; readonly count: number }
  | { readonly kind: 'acknowledge'; readonly which: number }
  | { readonly kind: 'attach'; readonly receiveMaximum: number }
  | { readonly kind: 'detach' | 'block' | 'unblock' | 'restart' | 'turn' | 'crowd' | 'room' };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('push' as const), qos: fc.constantFrom(1, 2), count: fc.nat(20) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), which: fc.nat(50) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('attach' as const), receiveMaximum: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('detach', 'block', 'unblock', 'restart', 'turn', 'crowd', 'room') }),
  },
);

/** A client that keeps what it received, acknowledges in any order, and checks what it is sent. */
class Client {
  /** Payloads in the order in which they first arrived. */
  readonly received: string[] = [];
  private readonly seen = new Set<string>();
  /** By packet identifier: what it has not acknowledged to the end. */
  private readonly open = new Map<number, { readonly payload: string; state: 1 | 2 | 'released' }>();
  /** Payloads that the server knows it has. */
  private readonly settled = new Set<string>();
  /** Identifiers that came on this connection, which it may acknowledge; and those of them that came with a PUBLISH. */
  private readonly fresh = new Set<number>();
  private readonly published = new Set<number>();

  /** A new connection: the server is to begin. */
  reconnected(): void {
    this.fresh.clear();
    this.published.clear();
  }

  /** Looks at what has come on this connection. */
  take(peer: Peer): void {
    for (const { payload, packetId, dup, qos } of peer.sent.splice(0)) {
      assert.equal(this.settled.has(payload), false, `${payload} came again after it was acknowledged`);
      assert.equal(this.published.has(packetId), false, `${packetId} came twice on one connection`);
      assert.equal(dup, this.seen.has(payload), `${payload} has the wrong DUP flag`);
      assert.equal(this.open.get(packetId)?.payload ?? payload, payload, `${packetId} was open`);
      if (!dup) this.received.push(payload);
      this.seen.add(payload);
      this.open.set(packetId, { payload, state: qos === 1 ? 1 : 2 });
      this.fresh.add(packetId);
      this.published.add(packetId);
    }
    for (const packetId of peer.released.splice(0)) this.fresh.add(packetId);
    assert.ok(this.published.size <= peer.receiveMaximum, 'more than the receive maximum');
  }

  /** Acknowledges the n-th of the open messages, by one step. */
  acknowledge(desk: Desk, which: number): void {
    const ids = [...this.open.keys()].filter((id) => this.fresh.has(id));
    const packetId = ids[which % ids.length] ?? 0;
    const message = this.open.get(packetId);
    if (message === undefined) return;
    this.settled.add(message.payload);
    if (message.state === 2) {
      message.state = 'released';
      assert.equal(desk.outgoing.received(packetId), true);
      return;
    }
    this.open.delete(packetId);
    this.published.delete(packetId);
    if (message.state === 1) assert.equal(desk.outgoing.acknowledged(packetId, 1), true);
    else assert.equal(desk.outgoing.completed(packetId), true);
  }

  get isDone(): boolean {
    return this.open.size === 0;
  }
}

/** The queue of a broker that was started on the same store. */
async function restarted({ store, outgoing }: Desk): Promise<Desk> {
  const restored = (await allSessions(store)).get('c');
  if (restored === undefined) throw new Error('the session is gone');
  return new Desk({}, true, store, { ...restored.queue, sentUpTo: outgoing.sentUpTo, crashed: false });
}

describe('The outgoing messages of a session', () => {
  it('all arrive, in order and once but for those with DUP, whatever the client, its wire and the broker do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60, size: 'max' }), fc.boolean(), async (events, slow) => {
        let desk = new Desk({}, true, slow ? new SlowStore() : undefined);
        let peer: Peer | undefined;
        const client = new Client();
        let pushed = 0;
        const connect = (receiveMaximum: number): Peer => {
          if (peer !== undefined) desk.detach();
          client.reconnected();
          return desk.attach(new Peer(receiveMaximum));
        };
        for (const each of events) {
          if (each.kind === 'push') for (let count = 0; count < each.count; count++) desk.push(`${++pushed}`, each.qos);
          else if (each.kind === 'acknowledge') {
            if (peer !== undefined) client.acknowledge(desk, each.which);
          } else if (each.kind === 'attach') peer = connect(each.receiveMaximum);
          else if (each.kind === 'turn') await turn();
          else if (each.kind === 'crowd' || each.kind === 'room') desk.crowd(each.kind === 'crowd');
          else if (each.kind === 'detach' || each.kind === 'restart') {
            if (peer !== undefined) desk.detach();
            peer = undefined;
            if (each.kind === 'restart') desk = await restarted(desk);
          } else if (peer !== undefined) {
            peer.writable = each.kind === 'unblock';
            if (peer.writable) desk.outgoing.drain(peer);
          }
          assert.ok(desk.outgoing.queued <= pushed);
          if (peer === undefined) continue;
          assert.ok(peer.sent.length <= peer.receiveMaximum);
          client.take(peer);
        }
        desk.crowd(false);
        peer = connect(5);
        for (let idle = 0, turns = 0; idle < 3; turns++) {
          assert.ok(turns < 6 * pushed + 20, 'messages are stuck');
          await turn();
          client.take(peer);
          if (client.isDone && desk.outgoing.queued === 0) idle++;
          client.acknowledge(desk, 0);
        }
        assert.deepEqual(
          client.received,
          Array.from({ length: pushed }, (_, index) => `${index + 1}`),
        );
        assert.equal(desk.outgoing.inFlightCount, 0);
        assert.equal(desk.outgoing.queue.bytes, 0);
        assert.equal(desk.buffered.bytes, 0, 'something is counted that is kept no more');
        assert.deepEqual(await desk.store.readQueue('c', 0, 10), []);
        assert.deepEqual(Object.values(desk.drops), [0, 0, 0, 0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});
