import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KeptBytes } from '../../dist/routing/kept-bytes.js';

const length = fc.oneof(fc.nat(200), fc.constantFrom(4_095, 4_096));
/** Messages of a chunk, some of which are kept, with what lies between them. */
const chunkOf = fc.array(fc.record({ length, skipped: fc.nat(7), isKept: fc.boolean() }), { maxLength: 10 });

describe('Kept bytes', () => {
  it('outlive the chunk that brought them, one by one and as its rest, in any order of sizes', () => {
    fc.assert(
      fc.property(fc.array(chunkOf, { maxLength: 20 }), (chunks) => {
        const kept = new KeptBytes();
        const copies = [];
        const read = Buffer.alloc(50_000); // that all chunks come in
        let value = 0;
        for (const messages of chunks) {
          const places: { from: number; to: number }[] = [];
          let at = 0;
          for (const { length, skipped } of messages) {
            read.fill(++value & 0xff, at + skipped, at + skipped + length);
            places.push({ from: at + skipped, to: at + skipped + length });
            at += skipped + length;
          }
          const chunk = { end: at };
          for (const [index, { from, to }] of places.entries()) {
            if (messages[index]?.isKept !== true) continue;
            const expected = Buffer.from(read.subarray(from, to));
            const bytes = kept.copy(read, from, to, chunk);
            copies.push({ copy: bytes.subarray(kept.start, kept.start + to - from), expected });
          }
          read.fill(0, 0, at);
        }
        for (const { copy, expected } of copies) assert.equal(Buffer.compare(copy, expected), 0);
      }),
      { numRuns: 30 },
    );
  });

  it('are copied with the rest of their chunk while that is small, and by themselves where it is not', () => {
    const kept = new KeptBytes();
    const read = Buffer.alloc(8_192);
    const small = { end: 4_096 };
    const slab = kept.copy(read, 0, 10, small);
    assert.equal(kept.start, 0);
    read.fill(1); // too late
    assert.equal(kept.copy(read, 100, 200, small), slab);
    assert.equal(kept.start, 100);
    assert.equal(slab[100], 0);
    const large = { end: 4_107 };
    assert.equal(kept.copy(read, 0, 10, large), slab);
    assert.equal(kept.start, 4_096);
    assert.equal(kept.copy(read, 10, 20, large), slab);
    assert.equal(kept.start, 4_106);
    assert.equal(slab[4_106], 1);
  });

  it('lie in one slab as long as there is room in it', () => {
    const kept = new KeptBytes();
    const read = Buffer.alloc(8_192);
    const first = kept.copy(read, 0, 4_096, { end: 4_096 });
    assert.equal(kept.copy(read, 4_096, 8_192, { end: 8_192 }), first);
    assert.equal(kept.start, 4_096);
    assert.notEqual(kept.copy(read, 0, 1, { end: 1 }), first); // which is full
  });

  it('are those of the chunk that is asked for, where another has bytes in the same place', () => {
    const kept = new KeptBytes();
    const read = Buffer.from([1]);
    const of = (chunk: { end: number }): number | undefined => kept.copy(read, 0, 1, chunk)[kept.start];
    assert.equal(of({ end: 1 }), 1);
    read[0] = 2;
    assert.equal(of({ end: 1 }), 2);
  });
});
