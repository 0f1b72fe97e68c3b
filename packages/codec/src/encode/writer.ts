import { CodecError } from '../error.js';
import { allocate } from '../platform.js';
import { ReasonCode } from '../reason-code.js';
import { MAXIMUM_LENGTH, writeUtf8 } from '../utf8.js';
import {
  MAXIMUM_VARIABLE_BYTE_INTEGER,
  variableByteIntegerLength,
  writeVariableByteInteger,
} from '../variable-byte-integer.js';

/** A packet that is kept keeps its whole slab, so this is small; smaller ones cost more to make than they save. */
const SLAB = 16_384;
/** Room for the longest fixed header, which is written last. */
const GAP = 5;

/**
 * Writes packets one behind the other into slabs of memory and hands them out as views, so that nothing is written twice.
 *
 * ```
 *  slab  [packet | packet | gap, variable header, payload ... | free]
 *                           ^start                        ^at
 * ```
 */
export class Writer {
  #slab = allocate(0);
  /** Offset of the variable header of the packet being written. */
  #start = 0;
  #at = 0;
  /** Offset behind the last packet that was finished. */
  #finished = 0;

  /** Begins a packet, of about `expected` bytes, behind the last one finished. */
  begin(expected = 64): this {
    const free = this.#finished + GAP;
    this.#start = free;
    this.#at = free;
    this.reserve(expected);
    return this;
  }

  /** Makes room for `size` more bytes, in a new slab if need be. */
  reserve(size: number): void {
    const written = this.#at - this.#start;
    if (this.#at + size <= this.#slab.length) return;
    const slab = allocate(Math.max(SLAB, GAP + size + 2 * written));
    slab.set(this.#slab.subarray(this.#start, this.#at), GAP);
    this.#slab = slab;
    this.#finished = 0;
    this.#start = GAP;
    this.#at = GAP + written;
  }

  byte(value: number): void {
    this.reserve(1);
    this.#slab[this.#at++] = value;
  }

  twoBytes(value: number): void {
    this.reserve(2);
    this.#slab[this.#at++] = value >> 8;
    this.#slab[this.#at++] = value;
  }

  fourBytes(value: number): void {
    this.twoBytes(value >>> 16);
    this.twoBytes(value & 0xffff);
  }

  variableByteInteger(value: number): void {
    this.reserve(4);
    this.#at = writeVariableByteInteger(this.#slab, this.#at, value);
  }

  string(text: string): void {
    this.reserve(2 + 3 * text.length);
    const start = this.#at + 2;
    const end = writeUtf8(this.#slab, start, text);
    this.twoBytes(end - start);
    this.#at = end;
  }

  /** Bytes behind their two-byte length. */
  binary(bytes: Uint8Array): void {
    if (bytes.length > MAXIMUM_LENGTH) {
      throw new CodecError(ReasonCode.packetTooLarge, `Binary data of ${bytes.length} bytes`);
    }
    this.twoBytes(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Writes what `fill` writes, preceded by its length. */
  measured<T>(fill: (writer: Writer, subject: T) => void, subject: T): void {
    this.byte(0);
    const start = this.#at - this.#start;
    fill(this, subject);
    const length = this.#at - this.#start - start;
    const extra = variableByteIntegerLength(length) - 1;
    this.reserve(extra);
    const at = this.#start + start;
    if (extra > 0) this.#slab.copyWithin(at + extra, at, this.#at);
    this.#at += extra;
    writeVariableByteInteger(this.#slab, at - 1, length);
  }

  /** Puts the fixed header in front; returns the packet. */
  finish(first: number): Uint8Array {
    const length = this.#at - this.#start;
    if (length > MAXIMUM_VARIABLE_BYTE_INTEGER) {
      throw new CodecError(ReasonCode.packetTooLarge, `A remaining length of ${length}; 268435455 is the most`);
    }
    const start = this.#start - variableByteIntegerLength(length) - 1;
    this.#slab[start] = first;
    writeVariableByteInteger(this.#slab, start + 1, length);
    this.#finished = this.#at;
    return new Uint8Array(this.#slab.buffer, start, this.#at - start);
  }
}

/** The one writer of this package: packets are written one at a time. */
export const writer = new Writer();

/** Throws {@link CodecError} 0x82 unless `value` is an integer from `minimum` to `maximum`. */
export function requireInteger(name: string, value: number, minimum: number, maximum: number, clause?: string): number {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new CodecError(ReasonCode.protocolError, `${name} is ${value}, not ${minimum} to ${maximum}`, clause);
}

/** Throws {@link CodecError} 0x82 unless `packetId` is from 1 to 65535. */
export function requirePacketId(packetId: number): number {
  return requireInteger('packetId', packetId, 1, 0xffff, 'MQTT-2.2.1-3'); // [MQTT-2.2.1-3] [MQTT3-2.3.1-1]
}
