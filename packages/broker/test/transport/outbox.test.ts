import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FlushQueue } from '../../dist/transport/flush-queue.js';
import { Outbox, shareFrom } from '../../dist/transport/outbox.js';
import { SharedBytes } from '../../dist/transport/shared-bytes.js';
import { SlowWire } from '../support/slow-wire.js';

function outboxOver(wire: SlowWire): { outbox: Outbox; queue: FlushQueue } {
  const queue = new FlushQueue();
  return { outbox: new Outbox(wire, queue, { bytes: 0 }), queue };
}

const bytes = (text: string): Buffer => Buffer.from(text);
const add = (outbox: Outbox, text: string): void => {
  outbox.copy(bytes(text), 0, text.length);
};

describe('The outbox', () => {
  it('sends what one read brought in one write, after it', () => {
    const wire = new SlowWire();
    const { outbox, queue } = outboxOver(wire);
    queue.beginRead();
    for (const text of ['a', 'bc', '', 'd'.repeat(100)]) add(outbox, text);
    assert.equal(wire.writes, 0);
    assert.equal(outbox.waiting, 103);
    queue.endRead();
    assert.equal(wire.writes, 1);
    assert.equal(wire.received, `abc${'d'.repeat(100)}`);
    assert.equal(outbox.waiting, 0);
  });

  it('sends what was added outside a read at the end of the microtasks', async () => {
    const wire = new SlowWire();
    const { outbox } = outboxOver(wire);
    add(outbox, 'a');
    await Promise.resolve();
    add(outbox, 'b');
    await Promise.resolve();
    assert.equal(wire.received, 'ab');
  });

  it('writes nothing while a write is pending, and then all in one', () => {
    const wire = new SlowWire();
    wire.fast = false;
    const { outbox, queue } = outboxOver(wire);
    for (const text of ['1', '2', '3']) {
      queue.beginRead();
      add(outbox, text);
      queue.endRead();
    }
    assert.equal(wire.writes, 1);
    assert.equal(outbox.waiting, 3);
    wire.leave();
    outbox.drained();
    assert.equal(wire.writes, 2);
    wire.leave();
    assert.equal(wire.received, '123');
  });

  it('copies what it is given, so that the giver may use the memory again', () => {
    const wire = new SlowWire();
    const { outbox, queue } = outboxOver(wire);
    queue.beginRead();
    for (const size of [3, 100]) {
      const buffer = bytes(`<${'x'.repeat(size)}>`);
      outbox.copy(buffer, 1, size + 1);
      buffer.fill(0);
    }
    queue.endRead();
    assert.equal(wire.received, 'x'.repeat(103));
  });

  it('lets bytes be patched where they were put', () => {
    const wire = new SlowWire();
    const { outbox, queue } = outboxOver(wire);
    queue.beginRead();
    for (const text of ['first', 'second']) {
      const offset = outbox.copy(bytes(text), 0, text.length);
      outbox.target[offset] = 0x2a;
    }
    const offset = outbox.reserve(2);
    outbox.target.set(bytes('ok'), offset);
    queue.endRead();
    assert.equal(wire.received, '*irst*econdok');
  });

  it('lets go of everything when the wire is gone', () => {
    const wire = new SlowWire();
    wire.fast = false;
    const queue = new FlushQueue();
    const memory = { bytes: 0 };
    const outbox = new Outbox(wire, queue, memory);
    queue.beginRead();
    add(outbox, 'lost');
    outbox.share(new SharedBytes(bytes('shared')));
    assert.ok(memory.bytes >= 10);
    outbox.discard();
    assert.equal(memory.bytes, 0);
    queue.endRead();
    assert.equal(wire.writes, 0);
    assert.equal(outbox.waiting, 0);
  });

  it('forgets what has gathered, and holds what the wire still has until that is gone', () => {
    const wire = new SlowWire();
    wire.fast = false;
    const memory = { bytes: 0 };
    const outbox = new Outbox(wire, new FlushQueue(), memory);
    const shared = new SharedBytes(bytes('shared'));
    outbox.share(shared);
    outbox.flush();
    add(outbox, 'lost');
    outbox.discard();
    assert.equal(shared.holders, 1);
    assert.equal(memory.bytes, 6);
    outbox.closed();
    assert.equal(shared.holders, 0);
    assert.equal(memory.bytes, 0);
  });

  it('keeps the order of copied and shared bytes of any size, however slow the wire is, and counts all that it holds', () => {
    const piece = fc.record({
      size: fc.oneof(...[100, 5_000, 40_000].map((max) => fc.integer({ min: 1, max })), fc.constant(300_000)),
      shared: fc.boolean(),
      after: fc.constantFrom('nothing', 'flush', 'leave', 'slow', 'fast'),
    });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 30, size: 'max' }), (pieces) => {
        const wires = [new SlowWire(), new SlowWire()];
        const queue = new FlushQueue();
        const memory = { bytes: 0 };
        const outboxes = wires.map((wire) => new Outbox(wire, queue, memory));
        let all = '';
        let letter = 0;
        queue.beginRead();
        for (const { size, shared, after } of pieces) {
          const text = String.fromCharCode(97 + (letter++ % 26)).repeat(size);
          all += text;
          const frame = new SharedBytes(bytes(text));
          // Two wires take memory from the same pool: neither may see the bytes of the other.
          for (const outbox of outboxes) {
            if (shared && size >= shareFrom) outbox.share(frame);
            else add(outbox, text);
          }
          if (after === 'flush') {
            queue.endRead();
            queue.beginRead();
          }
          assert.ok(memory.bytes >= Math.max(...outboxes.map(({ waiting }) => waiting)));
          for (const [index, wire] of wires.entries()) {
            if (after === 'slow' || after === 'fast') wire.fast = after === 'fast';
            if (after === 'leave' && index === 0 && wire.pending > 0) {
              wire.leave();
              outboxes[index]?.drained();
            }
          }
        }
        queue.endRead();
        for (const [index, wire] of wires.entries()) {
          while ((outboxes[index]?.waiting ?? 0) > 0) {
            wire.leave();
            outboxes[index]?.drained();
          }
          assert.equal(wire.received === all, true);
        }
        assert.equal(memory.bytes, 0);
      }),
      { numRuns: 100 },
    );
  });
});
