import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { FlushQueue } from '../../dist/transport/flush-queue.js';
import { borrow, type Lendable, lending, letGoOfSpareLendables, takeLendable } from '../../dist/transport/lendable.js';
import { Outbox } from '../../dist/transport/outbox.js';
import type { SharedBytes } from '../../dist/transport/shared-bytes.js';
import { SlowWire } from '../support/slow-wire.js';

const large = 100_000;
/** They are given back behind each test. */
const taken: Lendable[] = [];

function setUp() {
  const wire = new SlowWire();
  const queue = new FlushQueue();
  const memory = { bytes: 0 };
  const outbox = new Outbox(wire, queue, memory);
  const lendable = takeLendable() as Lendable;
  taken.push(lendable);
  /** A read of so many bytes, all of them the same, which are appended. */
  const read = (byte: number, length = large): void => {
    lendable.bytes.fill(byte, 0, length);
    queue.beginRead();
    lending(lendable, () => outbox.append(lendable.bytes, 0, length));
    queue.endRead();
  };
  return { wire, memory, outbox, lendable, read };
}

function takeAll(): number {
  for (let one = takeLendable(); one !== undefined; one = takeLendable()) taken.push(one);
  return taken.length;
}

describe('Bytes of a read that are lent', () => {
  afterEach(() => {
    for (const one of taken.splice(0)) one.isTaken = false;
  });

  it('leave themselves when the read ends, and are free then', () => {
    const { wire, memory, lendable, read } = setUp();
    read(1);
    assert.deepEqual(wire.receivedBytes, Buffer.alloc(large, 1));
    assert.equal(lendable.loans, 0);
    assert.equal(memory.bytes, 0);
  });

  it('are lent for as long as the wire has them, and counted', () => {
    const { wire, memory, outbox, lendable, read } = setUp();
    wire.fast = false;
    read(1);
    assert.equal(lendable.loans, 1);
    assert.equal(memory.bytes, large);
    assert.equal(wire.held[0]?.buffer, lendable.bytes.buffer);
    wire.leave();
    outbox.drained();
    assert.equal(lendable.loans, 0);
    assert.equal(memory.bytes, 0);
  });

  it('are copied where they cannot leave when the read ends, where they are few, and outside such a read', () => {
    const { wire, outbox, lendable, read } = setUp();
    wire.fast = false;
    read(1);
    read(2); // behind the first
    lendable.bytes.fill(0);
    wire.leave();
    outbox.drained();
    wire.leave();
    assert.deepEqual(wire.receivedBytes.subarray(large), Buffer.alloc(large, 2));
    outbox.drained();
    assert.equal(lendable.loans, 0);
    outbox.hold();
    read(3);
    assert.equal(lendable.loans, 0);
    outbox.unhold();
    wire.leave();
    outbox.drained();
    read(4, 1_000);
    assert.equal(lendable.loans, 0);
    wire.leave();
    outbox.drained();
    outbox.append(lendable.bytes, 0, large);
    assert.equal(lendable.loans, 0);
  });

  it('are given back with the wire', () => {
    const { wire, memory, outbox, lendable, read } = setUp();
    wire.fast = false;
    read(1);
    outbox.closed();
    assert.equal(lendable.loans, 0);
    assert.equal(memory.bytes, 0);
  });

  it('lie in few buffers, each of which is used again when nobody reads into it and nobody sends from it', () => {
    assert.equal(takeAll(), 8);
    const [first] = taken as [Lendable];
    assert.equal(borrow(first.bytes, 0, 10), undefined); // nothing is being read
    const loans: (SharedBytes | undefined)[] = [];
    lending(first, () => loans.push(borrow(first.bytes, 0, 10)));
    first.isTaken = false;
    assert.equal(takeLendable(), undefined);
    for (const loan of loans) loan?.free();
    assert.equal(takeLendable(), first);
  });

  it('are let go of with what is spare', () => {
    takeAll();
    const [first, second] = taken as [Lendable, Lendable];
    first.isTaken = false;
    letGoOfSpareLendables();
    const next = takeLendable() as Lendable;
    assert.notEqual(next, first);
    assert.equal(second.isTaken, true);
    taken.push(next);
  });
});
