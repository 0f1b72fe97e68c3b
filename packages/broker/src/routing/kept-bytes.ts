import { Pieces } from '../transport/pieces.js';

/** What is larger has memory of its own. */
const largest = 4_096;
const slabBytes = 8_192;

/**
 * Memory for the bytes of messages that outlive the read which brought them. Small ones lie behind one another in slabs: to make an array
 * of each takes longer than to copy it. A slab is free when nothing refers to it any more.
 */
export class KeptBytes {
  private readonly pieces = new Pieces();
  private slab: Uint8Array = new Uint8Array(0);
  private used = 0;
  /** Where the last copy begins in the array that it lies in. */
  start = 0;

  /** Copies the bytes `from` to `to` of an array into the one that is returned, from {@link start} on. */
  copy(source: Uint8Array, from: number, to: number): Uint8Array {
    const memory = this.reserve(to - from);
    memory.set(this.pieces.of(source, from, to), this.start);
    return memory;
  }

  private reserve(length: number): Uint8Array {
    if (length > largest) {
      this.start = 0;
      return Buffer.allocUnsafeSlow(length);
    }
    if (this.used + length > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(slabBytes);
      this.used = 0;
    }
    this.start = this.used;
    this.used += length;
    return this.slab;
  }
}
