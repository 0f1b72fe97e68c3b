import { Backlog, type MemoryOwner } from './backlog.js';
import { decodeShortAcknowledgement, isAcknowledgement } from './decode/acknowledgement.js';
import { decodeConnect, decodeVersion } from './decode/connect.js';
import { decodeControlPacket } from './decode/control-packet.js';
import { checkFirstByte } from './decode/fixed-header.js';
import { decodePublish } from './decode/publish.js';
import { malformed, notMinimal, Reader } from './decode/reader.js';
import { CodecError } from './error.js';
import { Chunk, type IncomingPublish } from './incoming-publish.js';
import type { AcknowledgementType, ControlPacket } from './packet.js';
import { variableHeaderOffset } from './packet-bounds.js';
import { PacketType, type ProtocolVersion } from './packet-type.js';
import { ReasonCode } from './reason-code.js';
import { LONGEST } from './topic-cache.js';
import { variableByteIntegerLength } from './variable-byte-integer.js';

/** What holds for every connection of a kind: share one object among all parsers. */
export interface ParserOptions {
  /** `server` parses what clients send: first CONNECT, which sets the version. `client` parses what servers send. */
  role: 'server' | 'client';
  /** Needed by a client, which knows it ahead. */
  version?: ProtocolVersion;
  /** Bytes of a whole packet, fixed header included. Applied to what the fixed header announces; beyond it is 0x95. */
  maximumPacketSize: number;
  /** User properties of one packet, those of the will counted apart. Beyond it is 0x97. */
  maximumUserProperties: number;
}

/** Is handed each packet, in order, within {@link Parser.feed} or {@link Parser.resume}. */
export interface PacketReceiver {
  /** One PUBLISH or a run of them. Its bytes are valid during this call only. */
  publish(packet: IncomingPublish): void;
  /** Any other packet. It is the receiver's to keep. */
  packet(packet: ControlPacket): void;
  /** Several of a kind that follow one another and are only packet identifiers: success. Without it each is a packet. */
  acknowledgements?(type: AcknowledgementType, packetIds: readonly number[]): void;
}

/**
 * Turns the bytes of one connection, cut anywhere, into packets.
 *
 * ```ts
 * const parser = new Parser(receiver, { role: 'server', maximumPacketSize: 1_048_576, maximumUserProperties: 100 });
 * socket.on('data', (chunk) => parser.feed(chunk));
 * ```
 *
 * Invariants: packets are parsed in place in the chunk and only a partial one is copied; nothing is allocated for what a
 * packet merely announces; once it has thrown, the parser is closed.
 */
export class Parser {
  /** 0 until the server has read the version in CONNECT. It is known even if the rest of that CONNECT is refused. */
  version: 0 | ProtocolVersion;
  readonly #receiver: PacketReceiver;
  #options: ParserOptions;
  readonly #memory: MemoryOwner | undefined;
  #backlog: Backlog | undefined;
  #state: 'open' | 'paused' | 'closed' = 'open';
  #parsing = false;
  /** The topic of the last PUBLISH, if it was not too long. */
  #topic = '';

  /** @param memory who answers for what is kept of packets that are not whole yet; nobody is asked without it */
  constructor(receiver: PacketReceiver, options: ParserOptions, memory?: MemoryOwner) {
    this.#memory = memory;
    this.#receiver = receiver;
    this.#options = options;
    this.version = options.role === 'client' ? (options.version ?? 5) : 0;
  }

  /** Others hold from the next packet on. */
  set options(options: ParserOptions) {
    this.#options = options;
  }

  get paused(): boolean {
    return this.#state === 'paused';
  }

  /** Bytes kept for later. */
  get buffered(): number {
    return this.#backlog === undefined ? 0 : this.#backlog.length;
  }

  /**
   * Parses `bytes[start, end)`, which need to stay as they are only until it returns.
   *
   * Throws {@link CodecError} at the first fault, and whatever the receiver throws; the parser is closed then, and
   * ignores further bytes. Not to be called by the receiver.
   */
  feed(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.#state === 'closed') return;
    this.#parsing = true;
    try {
      let at = start;
      const backlog = this.#backlog;
      if (this.#state === 'open' && backlog !== undefined) at = this.#completeBacklog(backlog, bytes, at, end);
      at = this.#parse(bytes, at, end);
      if (at < end) this.#keep(bytes, at, end);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      this.#parsing = false;
    }
  }

  /** Stops behind the current packet. A receiver may call it; what comes in meanwhile is kept. */
  pause(): void {
    if (this.#state === 'open') this.#state = 'paused';
  }

  /** Goes on with what was kept, and throws as {@link feed} does. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'open';
    const backlog = this.#backlog;
    // Called by a receiver, it has nothing to do but let the loop that called the receiver go on.
    if (this.#parsing || backlog === undefined) return;
    this.#parsing = true;
    try {
      backlog.start = this.#parse(backlog.buffer, backlog.start, backlog.end);
      if (backlog.length === 0) this.#forget(backlog);
      else if (!this.paused) backlog.shrink();
    } catch (error) {
      this.close();
      throw error;
    } finally {
      this.#parsing = false;
    }
  }

  /** Lets go of all memory and ignores whatever comes after. A receiver may call it: it gets no further packet. */
  close(): void {
    this.#state = 'closed';
    this.#backlog?.forgo();
    this.#backlog = undefined;
  }

  /** Adds just so much of the chunk that the kept packet is complete, and parses that; returns how far it got. */
  #completeBacklog(backlog: Backlog, bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    let size = this.#sizeOf(backlog.buffer, backlog.start, backlog.end);
    while (size === 0 && at < end) {
      backlog.appendByte(bytes[at++] ?? 0);
      size = this.#sizeOf(backlog.buffer, backlog.start, backlog.end);
    }
    const missing = size - backlog.length;
    if (size === 0 || missing > end - at) {
      backlog.append(bytes, at, end, size);
      return end;
    }
    backlog.append(bytes, at, at + missing);
    this.#backlog = undefined;
    try {
      this.#parse(backlog.buffer, backlog.start, backlog.end);
    } finally {
      backlog.release();
    }
    return at + missing;
  }

  /** Parses what is complete in `bytes[start, end)`; returns how far it got. */
  #parse(bytes: Uint8Array, start: number, end: number): number {
    const chunk = new Chunk(end);
    let at = start;
    while (at < end && this.#state === 'open') {
      const size = this.#sizeOf(bytes, at, end);
      if (size === 0 || size > end - at) break;
      at = this.#packet(bytes, at, variableHeaderOffset(bytes, at), at + size, chunk);
    }
    return at;
  }

  /** Hands over the packet in `bytes[start, end)`, or the run that begins with it; returns the offset behind. */
  #packet(bytes: Uint8Array, start: number, body: number, end: number, chunk: Chunk): number {
    const { version } = this;
    const type = (bytes[start] ?? 0) >> 4;
    if (version === 0) {
      this.#connect(bytes, start, body, end);
    } else if (type === PacketType.PUBLISH) {
      const publish = decodePublish(bytes, start, body, end, chunk, version, this.#options, this.#topic);
      const { topic } = publish;
      if (topic !== '' && topic.length <= LONGEST) this.#topic = topic;
      this.#receiver.publish(publish);
      return publish.end;
    } else if (end - body === 2 && isAcknowledgement(type)) {
      return this.#acknowledgements(type, bytes, start, body, chunk.end);
    } else {
      this.#receiver.packet(decodeControlPacket(type, bytes, body, end, version, this.#options));
    }
    return end;
  }

  /** The acknowledgement that is only the packet identifier at `body`, and those like it that follow. */
  #acknowledgements(type: AcknowledgementType, bytes: Uint8Array, start: number, body: number, limit: number): number {
    const first = decodeShortAcknowledgement(bytes, body, type);
    let at = body + 2;
    if (this.#receiver.acknowledgements === undefined || !isLike(bytes, start, at, limit)) {
      this.#receiver.packet(first);
      return at;
    }
    const packetIds = [first.packetId];
    for (; isLike(bytes, start, at, limit); at += 4) {
      packetIds.push(((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
    }
    this.#receiver.acknowledgements(type, packetIds);
    return at;
  }

  #connect(bytes: Uint8Array, start: number, body: number, end: number): void {
    const reader = new Reader(bytes, body, end);
    const { version, bridge } = decodeVersion(reader, (bytes[start] ?? 0) & 0x0f);
    this.version = version;
    if (version === 5 && body - start - 1 > variableByteIntegerLength(end - body)) throw notMinimal();
    this.#receiver.packet(decodeConnect(reader, version, bridge, this.#options.maximumUserProperties));
  }

  /** Bytes of the packet at `start` by its fixed header, which is judged here; 0 while that is incomplete. */
  #sizeOf(bytes: Uint8Array, start: number, end: number): number {
    checkFirstByte(bytes[start] ?? 0, this.#options.role, this.version);
    let at = start + 1;
    if (at >= end) return 0;
    let byte = bytes[at++] ?? 0;
    let length = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      // [MQTT-1.5.5-1]
      if (shift > 21) throw malformed('A remaining length of more than four bytes', 'MQTT-1.5.5-1');
      if (at >= end) return 0;
      byte = bytes[at++] ?? 0;
      // Before 5.0 nothing forbids an integer longer than it need be.
      if (byte === 0 && this.version === 5) throw notMinimal();
      length |= (byte & 0x7f) << shift;
    }
    const size = at - start + length;
    if (size <= this.#options.maximumPacketSize) return size;
    // [MQTT-3.1.2-24] [MQTT-3.2.2-15]
    const clause = this.#options.role === 'server' ? 'MQTT-3.2.2-15' : 'MQTT-3.1.2-24';
    throw new CodecError(ReasonCode.packetTooLarge, `A packet of ${size} bytes`, clause);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state === 'closed') return;
    const begins = this.#backlog === undefined && this.#state === 'open';
    this.#backlog ??= new Backlog(this.#memory);
    this.#backlog.append(bytes, start, end, begins ? this.#sizeOf(bytes, start, end) : 0);
  }

  /** Its packets have all been handled. */
  #forget(backlog: Backlog): void {
    this.#backlog = undefined;
    backlog.release();
  }
}

/** Whether what lies at `at` is an acknowledgement of the type of the one at `start`, and only a packet identifier, which is not 0. */
function isLike(bytes: Uint8Array, start: number, at: number, limit: number): boolean {
  if (limit - at < 4 || bytes[at] !== bytes[start] || bytes[at + 1] !== 2) return false;
  return bytes[at + 2] !== 0 || bytes[at + 3] !== 0;
}
