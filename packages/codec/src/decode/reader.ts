import { CodecError } from '../error.js';
import { ReasonCode } from '../reason-code.js';
import { decodeName, decodeUtf8 } from '../utf8.js';

/** The part of the parser's options that decoding a packet needs. */
export interface DecodeLimits {
  readonly role: 'server' | 'client';
  readonly maximumPacketSize: number;
  readonly maximumUserProperties: number;
}

/** Reads the fields of one packet in order. Every read throws {@link CodecError} 0x81 when the packet ends before it. */
export class Reader {
  readonly bytes: Uint8Array;
  /** Offset of the next byte. */
  at: number;
  /** Offset behind the last byte. */
  readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    return this.bytes[this.#take(1)] ?? 0;
  }

  twoBytes(): number {
    const at = this.#take(2);
    return ((this.bytes[at] ?? 0) << 8) | (this.bytes[at + 1] ?? 0);
  }

  fourBytes(): number {
    const high = this.twoBytes();
    return high * 0x10000 + this.twoBytes();
  }

  variableByteInteger(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw notMinimal();
        return value;
      }
    }
    throw malformed('A variable byte integer of more than four bytes', 'MQTT-1.5.5-1');
  }

  string(): string {
    const length = this.twoBytes();
    const start = this.#take(length);
    return decodeUtf8(this.bytes, start, start + length);
  }

  /** A string that names something: see {@link decodeName}. */
  name(): string {
    const length = this.twoBytes();
    const start = this.#take(length);
    return decodeName(this.bytes, start, start + length);
  }

  /** A copy: what is not the payload of a PUBLISH outlives the read buffer. */
  binary(): Uint8Array {
    const length = this.twoBytes();
    const start = this.#take(length);
    return new Uint8Array(this.bytes.subarray(start, start + length));
  }

  /** A packet identifier, which is never 0. */
  packetId(): number {
    const packetId = this.twoBytes();
    if (packetId === 0) throw packetIdZero();
    return packetId;
  }

  /** Throws when bytes are left over. */
  finish(): void {
    if (this.at !== this.end) throw malformed(`${this.left} bytes too many at the end of the packet`);
  }

  #take(length: number): number {
    const at = this.at;
    if (length > this.end - at) throw tooShort();
    this.at = at + length;
    return at;
  }
}

export function malformed(message: string, clause?: string): CodecError {
  return new CodecError(ReasonCode.malformedPacket, message, clause);
}

export function protocolError(message: string, clause?: string): CodecError {
  return new CodecError(ReasonCode.protocolError, message, clause);
}

export function tooShort(): CodecError {
  return malformed('The packet ends within a field');
}

// [MQTT-2.2.1-3] [MQTT3-2.3.1-1]
export function packetIdZero(): CodecError {
  return protocolError('A packet identifier of 0', 'MQTT-2.2.1-3');
}

// [MQTT-1.5.5-1]
export function notMinimal(): CodecError {
  return malformed('A variable byte integer in more bytes than it needs', 'MQTT-1.5.5-1');
}
