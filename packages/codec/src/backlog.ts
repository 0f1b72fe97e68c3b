import { CodecError } from './error.js';
import { MemoryPool, sizeFor } from './memory-pool.js';
import { ReasonCode } from './reason-code.js';

const SMALLEST = 64;
/** So many times as much memory as bytes have arrived, if the packet announces that many: it is moved less often. */
const FORESIGHT = 4;
/** Memory up to so many bytes is nobody's business. */
const FREE = 4_096;

const empty = new Uint8Array(0);
const pool = new MemoryPool();

/** Who answers for the memory of packets that are not whole yet, beyond a few kilobytes for each parser. */
export interface MemoryOwner {
  /** Asked before so many bytes more are taken; false if they must not be. May close the parser that asks. */
  reserve(bytes: number): boolean;
  /** So many bytes are needed no more. */
  release(bytes: number): void;
}

/**
 * Bytes received but not parsed yet: a partial packet, or what came in while the parser was paused. Grows with the bytes
 * that arrive, never with what a packet merely announces.
 *
 * ```
 *  buffer  [consumed | unread | free]
 *                    ^start   ^end
 * ```
 */
export class Backlog {
  buffer: Uint8Array = empty;
  /** Offset of the first unread byte. */
  start = 0;
  /** Offset behind the last unread byte. */
  end = 0;
  readonly #owner: MemoryOwner | undefined;
  #reserved = 0;

  constructor(owner?: MemoryOwner) {
    this.#owner = owner;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Copies `bytes[start, end)` behind the unread bytes. `expected` is how many unread bytes there will be in all. */
  append(bytes: Uint8Array, start: number, end: number, expected = 0): void {
    this.#reserve(end - start, expected);
    this.buffer.set(bytes.subarray(start, end), this.end);
    this.end += end - start;
  }

  appendByte(byte: number): void {
    this.#reserve(1, 0);
    this.buffer[this.end++] = byte;
  }

  /** Gives back the memory that a few unread bytes do not need. */
  shrink(): void {
    if (this.buffer.length > 4 * Math.max(SMALLEST, this.length)) this.#move(Math.max(SMALLEST, this.length));
  }

  /** Answers for its memory no longer: nothing is added any more. */
  forgo(): void {
    this.#answerFor(0);
  }

  /** Gives all memory back. Nothing may refer to it any more. */
  release(): void {
    this.forgo();
    pool.giveBack(this.buffer);
    this.buffer = empty;
    this.start = 0;
    this.end = 0;
  }

  #reserve(size: number, expected: number): void {
    if (this.end + size <= this.buffer.length) return;
    const needed = this.length + size;
    // Doubling what is unread, so consumed bytes are moved over at most once for as many that arrive.
    this.#move(Math.max(SMALLEST, needed, 2 * this.length, Math.min(expected, FORESIGHT * needed)));
  }

  #answerFor(size: number): void {
    const due = size > FREE ? size : 0;
    const more = due - this.#reserved;
    if (more > 0 && this.#owner?.reserve(more) === false)
      throw new CodecError(ReasonCode.quotaExceeded, 'No memory for a packet that is not whole yet');
    if (more < 0) this.#owner?.release(-more);
    this.#reserved = due;
  }

  #move(size: number): void {
    this.#answerFor(sizeFor(size));
    const { buffer, length } = this;
    const target = pool.take(size);
    target.set(buffer.subarray(this.start, this.end));
    pool.giveBack(buffer);
    this.buffer = target;
    this.start = 0;
    this.end = length;
  }
}
