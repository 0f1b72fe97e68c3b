import type { Chunk } from '@moat/codec';
import { Pieces } from '../transport/pieces.js';

/** Bytes of the largest message that is kept beside others, and of the largest rest of a chunk that goes with one. */
export const largestBeside = 4_096;
const slabBytes = 8_192;

/** So many messages of a client are kept beside others: should it never acknowledge them, each holds a whole slab. */
export const mostKeptAWhile = 64;

/**
 * Memory for the bytes of messages that outlive the read which brought them, but not by much. To make an array of each takes longer than
 * to copy it, and so does each copy:
 *
 * ```
 *   chunk   [ PUBLISH 1 | PUBLISH 2 | PUBLISH 3 ]
 *             │ kept: the rest of the chunk goes with it, if it is small; 2 and 3 are there already
 *             v
 *   slab  ..[ PUBLISH 1 | PUBLISH 2 | PUBLISH 3 ]......
 * ```
 *
 * A slab is free when nothing refers to it any more.
 */
export class KeptBytes {
  private readonly pieces = new Pieces();
  private slab: Uint8Array = new Uint8Array(0);
  private used = 0;
  /** Of which the bytes from {@link from} on lie in the slab, so much further on. */
  private chunk: Chunk | undefined = undefined;
  private from = 0;
  private by = 0;
  /** Where the last copy begins in the array that it lies in. */
  start = 0;

  /** Copies the bytes `from` to `to` of a chunk, at most {@link largestBeside}, into the array that is returned, from {@link start} on. */
  copy(source: Uint8Array, from: number, to: number, chunk: Chunk): Uint8Array {
    if (chunk !== this.chunk || from < this.from) this.copyRest(source, from, to, chunk);
    this.start = from + this.by;
    return this.slab;
  }

  private copyRest(source: Uint8Array, from: number, to: number, chunk: Chunk): void {
    const isSmall = chunk.end - from <= largestBeside;
    const end = isSmall ? chunk.end : to;
    if (this.used + end - from > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(slabBytes);
      this.used = 0;
    }
    this.slab.set(this.pieces.of(source, from, end), this.used);
    this.chunk = isSmall ? chunk : undefined;
    this.from = from;
    this.by = this.used - from;
    this.used += end - from;
  }
}
