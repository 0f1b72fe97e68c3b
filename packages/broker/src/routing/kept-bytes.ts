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
  /** Where the last copy lies. */
  bytes: Uint8Array = this.slab;
  start = 0;

  /** Copies the bytes `from` to `to` of an array, to {@link bytes} and {@link start}. */
  copy(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (length > largest) {
      this.bytes = Buffer.allocUnsafeSlow(length);
      this.start = 0;
    } else {
      if (this.used + length > this.slab.length) this.renew();
      this.bytes = this.slab;
      this.start = this.used;
      this.used += length;
    }
    this.bytes.set(this.pieces.of(source, from, to), this.start);
  }

  private renew(): void {
    this.slab = Buffer.allocUnsafeSlow(slabBytes);
    this.used = 0;
  }
}
