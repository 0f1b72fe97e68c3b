import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PacketType } from '@moat/codec';
import fc from 'fast-check';
import { Buffered } from '../../dist/guard/buffered.js';
import { Message } from '../../dist/routing/message.js';
import { KeptMessages } from '../../dist/session/kept-messages.js';
import { type Awaited, LeftForGood } from '../../dist/session/left-for-good.js';
import { Peer, plainTarget } from './client.js';

const { PUBACK, PUBREC, PUBCOMP } = PacketType;
const message = Message.of('t', new Uint8Array(3));
const refusal = { reasonCode: 0x82 };

interface Desk {
  readonly buffered: Buffered;
  readonly left: LeftForGood;
  /** Sends so many behind those before, identifiers going round; those in use are passed over. */
  send(count: number, qos: 1 | 2): number[];
}

function desk(first = 1): Desk {
  const buffered = new Buffered({ max_buffered_bytes: 1_000_000_000 });
  const left = new LeftForGood(new KeptMessages(buffered));
  let next = first;
  const send = (count: number, qos: 1 | 2): number[] => {
    const ids: number[] = [];
    while (ids.length < count) {
      if (!left.has(next)) ids.push(next);
      next = (next % 65_535) + 1;
    }
    const [id] = ids as [number];
    if (count === 1) assert.ok(left.send(new Peer(), message, qos, false, plainTarget, id));
    else left.sendRun(new Peer(), message, qos, ids);
    return ids;
  };
  return { buffered, left, send };
}

describe('The identifiers of messages that have left for good', () => {
  it('are acknowledged together where the client keeps the order, all or the first of them', () => {
    const { left, send, buffered } = desk(65_534);
    assert.deepEqual(send(5, 2), [65_534, 65_535, 1, 2, 3]);
    send(1, 2);
    const ids = [65_534, 65_535, 1, 2, 3, 4];
    assert.equal(left.together(PUBCOMP, ids, 0), 0);
    assert.equal(left.together(PUBACK, ids, 0), 0);
    assert.equal(left.together(PUBREC, ids, 0), 2);
    assert.equal(left.together(PUBREC, ids, 1), 0);
    assert.equal(left.together(PUBREC, ids.slice(0, 4), 2), 2);
    assert.equal(left.together(PUBREC, [3, 4, 5], 0), 2);
    assert.equal(left.size, 6);
    assert.equal(left.together(PUBCOMP, ids, 0), 2);
    assert.equal(left.together(PUBCOMP, ids, 2), 4);
    assert.equal(left.size, 0);
    assert.equal(buffered.bytes, 0);
  });

  it('take memory that counts where the client keeps no order, until it acknowledges, or has gone', () => {
    const { left, send, buffered } = desk();
    const ids = send(2_000, 1);
    assert.equal(buffered.bytes, 0);
    for (const id of ids.filter((each) => each % 2 === 0)) assert.equal(left.acknowledged(id, 1), true);
    assert.ok(buffered.bytes > 1_000 * 24, `${buffered.bytes} bytes`);
    for (const id of ids.filter((each) => each % 2 === 1)) assert.equal(left.acknowledged(id, 1), true);
    assert.equal(buffered.bytes, 0);
    send(20, 1);
    left.acknowledged(2_010, 1);
    assert.ok(buffered.bytes > 0);
    left.clear();
    left.clear();
    assert.deepEqual([buffered.bytes, left.size, left.has(2_011)], [0, 0, false]);
  });

  it('take memory that counts where QoS 1 and 2 come in turns, and few follow one another', () => {
    const { left, send, buffered } = desk();
    const ids = Array.from({ length: 20 }, (_, index) => send(1, index % 2 === 0 ? 1 : 2)).flat();
    assert.ok(buffered.bytes > 0);
    for (const id of ids) assert.equal(left.acknowledged(id, id % 2 === 1 ? 1 : 2), true);
    assert.equal(buffered.bytes, 0);
  });

  it('stay free where the message is larger than the client takes', () => {
    const { left } = desk();
    const peer = new Peer();
    peer.largest = 2;
    assert.equal(left.send(peer, message, 1, false, plainTarget, 1), false);
    assert.deepEqual([left.size, left.has(1)], [0, false]);
  });

  it('await what they would one by one, in whatever order they are sent and acknowledged', () => {
    const acknowledgement = fc.record({
      type: fc.constantFrom<Awaited | 'refused'>(PUBACK, PUBACK, PUBREC, PUBREC, PUBREC, PUBCOMP, PUBCOMP, 'refused'),
      /** The n-th of those that are open, and so many behind it. */
      which: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(40)),
      count: fc.integer({ min: 1, max: 12 }),
      together: fc.boolean(),
    });
    const sending = fc.record({ send: fc.integer({ min: 1, max: 12 }), qos: fc.constantFrom<1 | 2>(1, 2, 2) });
    const steps = fc.array(fc.oneof(sending, acknowledgement), { maxLength: 80, size: 'max' });
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 65_530), (all, first) => {
        const { left, send, buffered } = desk(first);
        const open = new Map<number, Awaited>();
        for (const each of all) {
          if ('send' in each) {
            for (const id of send(each.send, each.qos)) open.set(id, each.qos === 1 ? PUBACK : PUBREC);
          } else {
            const ids = [...open.keys()].slice(each.which, each.which + each.count);
            const { type } = each;
            for (let at = 0; at < ids.length; ) {
              const done: number = each.together && type !== 'refused' ? left.together(type, ids, at) : 0;
              for (const id of ids.slice(at, at + done)) {
                assert.equal(open.get(id), type);
                if (type === PUBREC) open.set(id, PUBCOMP);
                else open.delete(id);
              }
              at += done;
              if (done === 0) single(left, open, ids[at++] as number, type);
            }
          }
          assert.equal(left.size, open.size);
          for (const id of open.keys()) assert.equal(left.has(id), true);
          for (let id = 1; id <= 60; id++) assert.equal(left.has(id), open.has(id));
        }
        for (const id of [...open.keys()]) {
          if (open.get(id) === PUBREC) single(left, open, id, PUBREC);
          single(left, open, id, open.get(id) as Awaited);
        }
        assert.equal(left.size, 0);
        assert.equal(buffered.bytes, 0);
      }),
      { numRuns: 500 },
    );
  });
});

/** One acknowledgement, and what the standard has come of it. */
function single(left: LeftForGood, open: Map<number, Awaited>, id: number, type: Awaited | 'refused'): void {
  const awaited = open.get(id);
  const isOfQos1 = awaited === PUBACK;
  if (type === PUBACK || type === 'refused') {
    const qos = type === PUBACK ? 1 : 2;
    if (isOfQos1 !== (qos === 1)) assert.throws(() => left.acknowledged(id, qos), refusal);
    else {
      assert.equal(left.acknowledged(id, qos), awaited !== PUBCOMP);
      if (awaited !== PUBCOMP) open.delete(id);
    }
  } else if (isOfQos1) {
    assert.throws(() => (type === PUBREC ? left.received(id) : left.completed(id)), refusal);
  } else if (type === PUBREC) {
    assert.equal(left.received(id), true);
    open.set(id, PUBCOMP);
  } else if (awaited === PUBREC) assert.throws(() => left.completed(id), refusal);
  else {
    assert.equal(left.completed(id), true);
    open.delete(id);
  }
}
