import type { Chunk } from '@moat/codec';
import { Pieces } from '../transport/pieces.js';

/** What is larger has memory of its own. */
const largest = 4_096;
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
  /** Of which the bytes from {@link from} on lie in {@link memory}, so much further on. */
  private chunk: Chunk | undefined = undefined;
  private from = 0;
  private memory: Uint8Array = this.slab;
  private by = 0;
  /** Where the last copy begins in the array that it lies in. */
  start = 0;

  /** Copies the bytes `from` to `to` of a chunk into the array that is returned, from {@link start} on. */
  copy(source: Uint8Array, from: number, to: number, chunk: Chunk): Uint8Array {
    if (chunk !== this.chunk || from < this.from) this.copyRest(source, from, to, chunk);
    this.start = from + this.by;
    return this.memory;
  }

  private copyRest(source: Uint8Array, from: number, to: number, chunk: Chunk): void {
    const isSmall = chunk.end - from <= largest;
    const end = isSmall ? chunk.end : to;
    const start = this.reserve(end - from);
    this.memory.set(this.pieces.of(source, from, end), start);
    this.chunk = isSmall ? chunk : undefined;
    this.from = from;
    this.by = start - from;
  }

  /** Where there is room in {@link memory}. */
  private reserve(length: number): number {
    if (length > largest) {
      this.memory = Buffer.allocUnsafeSlow(length);
      return 0;
    }
    if (this.used + length > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(slabBytes);
      this.used = 0;
    }
    this.memory = this.slab;
    const start = this.used;
    this.used += length;
    return start;
  }
}
