import { allocate } from './platform.js';

const SMALLEST = 64;

/**
 * Bytes received but not parsed yet: a partial packet, or what came in while the parser was paused. Grows with the bytes
 * that arrive, by doubling, never with what a packet announces.
 *
 * ```
 *  buffer  [consumed | unread | free]
 *                    ^start   ^end
 * ```
 */
export class Backlog {
  buffer: Uint8Array = allocate(0);
  /** Offset of the first unread byte. */
  start = 0;
  /** Offset behind the last unread byte. */
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Copies `bytes[start, end)` behind the unread bytes. */
  append(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.buffer.set(bytes.subarray(start, end), this.end);
    this.end += end - start;
  }

  appendByte(byte: number): void {
    this.#reserve(1);
    this.buffer[this.end++] = byte;
  }

  /** Gives back the memory that a few unread bytes do not need. */
  shrink(): void {
    if (this.buffer.length <= 4 * Math.max(SMALLEST, this.length)) return;
    this.buffer = this.buffer.slice(this.start, this.end);
    this.start = 0;
    this.end = this.buffer.length;
  }

  #reserve(size: number): void {
    if (this.end + size <= this.buffer.length) return;
    const length = this.length;
    const needed = length + size;
    // Doubling what is unread, so consumed bytes are moved over at most once for as many that arrive.
    const target = allocate(Math.max(SMALLEST, needed, 2 * length));
    target.set(this.buffer.subarray(this.start, this.end));
    this.buffer = target;
    this.start = 0;
    this.end = length;
  }
}
