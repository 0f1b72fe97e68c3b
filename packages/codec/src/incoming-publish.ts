import { packetEnd, variableHeaderOffset } from './packet-bounds.js';
import { PacketType, type ProtocolVersion, type QoS } from './packet-type.js';
import type { PublishProperties } from './properties.js';

/** The bytes that were parsed at one go: what lies in them came together, and goes together. */
export class Chunk {
  constructor(
    /** Offset behind the last of them. */
    readonly end: number,
  ) {}
}

/**
 * One PUBLISH as it lies in the read buffer, or a *run* of several: consecutive packets of the same topic, without flags and
 * properties, of QoS 0 or, for a server, of QoS 1 or 2, which a broker may forward as one span of bytes.
 *
 * ```
 *  bytes  ...[30 .. topic payload][30 .. topic payload]...     count = 2
 *             ^start     ^payloadStart                 ^end    (payloadStart of the first)
 * ```
 *
 * Invariant: `bytes` belongs to the transport and is overwritten by the next read: whoever keeps a part of it
 * beyond the call that handed this over copies it.
 */
export class IncomingPublish {
  readonly type = PacketType.PUBLISH;
  constructor(
    readonly version: ProtocolVersion,
    /** Empty when the packet bears a topic alias instead (5.0). The same topic gives the same string object where possible. */
    readonly topic: string,
    readonly qos: QoS,
    readonly retain: boolean,
    readonly dup: boolean,
    /** Of the first packet; 0 for QoS 0. */
    readonly packetId: number,
    readonly properties: PublishProperties | undefined,
    readonly bytes: Uint8Array,
    /** Offset of the first byte of the (first) packet's fixed header. */
    readonly start: number,
    /** Offset of the (first) packet's payload. */
    readonly payloadStart: number,
    /** Offset behind the last byte of the (last) packet. */
    readonly end: number,
    /** How many packets the span holds, at least 1. */
    readonly count: number,
    /** Bytes of the largest packet in the span, fixed header included. */
    readonly largest: number,
    /** Offset of the (first) packet identifier; -1 for QoS 0. */
    readonly packetIdAt: number,
    /** What it lies in: the same object for all packets of a chunk, and for none of another. */
    readonly chunk: Chunk,
    /** All packet identifiers of a run of QoS 1 or 2, in order. */
    readonly packetIds: readonly number[] | undefined = undefined,
  ) {}

  /** The payload as a view, not a copy. Only for a single packet (`count` 1). */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  /** The same packets in other bytes, where they lie so much further on. */
  moved(bytes: Uint8Array, by: number): IncomingPublish {
    return new IncomingPublish(
      this.version,
      this.topic,
      this.qos,
      this.retain,
      this.dup,
      this.packetId,
      this.properties,
      bytes,
      this.start + by,
      this.payloadStart + by,
      this.end + by,
      this.count,
      this.largest,
      this.packetIdAt < 0 ? -1 : this.packetIdAt + by,
      new Chunk(this.end + by),
      this.packetIds,
    );
  }

  /** The packets of a run one by one; a single packet yields itself. */
  *each(): Generator<IncomingPublish> {
    if (this.count === 1) {
      yield this;
      return;
    }
    for (let start = this.start; start < this.end; ) {
      const at = variableHeaderOffset(this.bytes, start);
      const end = packetEnd(this.bytes, start, at);
      const topicLength = ((this.bytes[at] ?? 0) << 8) | (this.bytes[at + 1] ?? 0);
      const topicEnd = at + 2 + topicLength;
      const payloadStart = topicEnd + (this.qos === 0 ? 0 : 2) + (this.version === 5 ? 1 : 0);
      yield new IncomingPublish(
        this.version,
        this.topic,
        this.qos,
        false,
        false,
        this.qos === 0 ? 0 : ((this.bytes[topicEnd] ?? 0) << 8) | (this.bytes[topicEnd + 1] ?? 0),
        undefined,
        this.bytes,
        start,
        payloadStart,
        end,
        1,
        end - start,
        this.qos === 0 ? -1 : topicEnd,
        this.chunk,
      );
      start = end;
    }
  }
}
