import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KeptBytes } from '../../dist/routing/kept-bytes.js';

describe('Kept bytes', () => {
  it('outlive the read that brought them, beside one another and in memory of their own, in any order of sizes', () => {
    const length = fc.oneof(fc.nat(200), fc.constantFrom(4_095, 4_096, 4_097, 8_192, 8_193, 300_000));
    fc.assert(
      fc.property(fc.array(fc.record({ length, skipped: fc.nat(7) }), { maxLength: 100 }), (all) => {
        const kept = new KeptBytes();
        const reads = [Buffer.alloc(262_144), Buffer.alloc(300_007)] as const;
        const copies = all.map(({ length, skipped }, index) => {
          const read = reads[length + skipped > reads[0].length ? 1 : 0].fill(index + 1);
          const bytes = kept.copy(read, skipped, skipped + length);
          return { bytes, start: kept.start, length };
        });
        for (const read of reads) read.fill(0);
        for (const [index, { bytes, start, length }] of copies.entries())
          assert.equal(Buffer.compare(bytes.subarray(start, start + length), Buffer.alloc(length, index + 1)), 0);
      }),
      { numRuns: 30 },
    );
  });

  it('lie in one slab while they are small, and hold nothing else alive where they are not', () => {
    const kept = new KeptBytes();
    const read = Buffer.alloc(8_192);
    const first = kept.copy(read, 0, 4_096);
    assert.equal(kept.start, 0);
    assert.equal(kept.copy(read, 4_096, 8_192), first);
    assert.equal(kept.start, 4_096);
    assert.equal(kept.copy(read, 0, 4_097).buffer.byteLength, 4_097);
    assert.notEqual(kept.copy(read, 0, 1), first); // which is full
  });
});
