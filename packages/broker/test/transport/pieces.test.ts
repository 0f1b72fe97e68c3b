import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pieces, RepeatedPieces } from '../../dist/transport/pieces.js';

describe('Pieces', () => {
  it('are where their array has them, whichever array that is', () => {
    const pieces = new Pieces();
    const whole = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
    const arrays = [whole, whole.subarray(7, 1_000), Buffer.from(whole.buffer, 100, 262_144), new Uint8Array(0)];
    for (const array of [...arrays, ...arrays.toReversed()])
      for (const [start, end] of [
        [0, 0],
        [0, 1],
        [5, 300],
        [0, array.length],
        [array.length - 1, array.length],
      ] as const) {
        if (start < 0 || end > array.length) continue;
        const piece = pieces.of(array, start, end);
        assert.equal(piece.buffer, array.buffer);
        assert.equal(piece.byteOffset, array.byteOffset + start);
        assert.equal(piece.length, end - start);
      }
  });
});

describe('Repeated pieces', () => {
  it('are the same view for the same piece, and another one for any other', () => {
    const pieces = new RepeatedPieces();
    const [one, other] = [new Uint8Array(100), Buffer.alloc(100)];
    const first = pieces.of(one, 0, 10);
    assert.equal(pieces.of(one, 0, 10), first);
    for (const [array, start, end] of [
      [one, 0, 11],
      [one, 1, 11],
      [one, 1, 10],
      [other, 1, 10],
      [one, 1, 10],
    ] as const) {
      const piece = pieces.of(array, start, end);
      assert.deepEqual([piece.buffer, piece.byteOffset], [array.buffer, array.byteOffset + start]);
      assert.equal(piece.length, end - start);
    }
  });

  it('hold no memory that is larger than what is used again', () => {
    const pieces = new RepeatedPieces();
    const large = new Uint8Array(262_145);
    assert.notEqual(pieces.of(large, 0, 10), pieces.of(large, 0, 10));
  });
});
