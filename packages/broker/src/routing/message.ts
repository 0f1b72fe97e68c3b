import {
  encode,
  type IncomingPublish,
  PacketType,
  type PublishPacket,
  type PublishProperties,
  packetIdOffset,
  type QoS,
} from '@moat/codec';
import { messageSize } from '../storage/message-size.js';
import type { MessageRecord } from '../storage/store.js';
import { SharedBytes } from '../transport/shared-bytes.js';
import { KeptBytes, largestBeside } from './kept-bytes.js';

/** The properties that travel from publisher to subscriber unaltered (MQTT 5.0 §3.3.2.3). */
export type ForwardedProperties = Omit<PublishProperties, 'topicAlias' | 'subscriptionIdentifiers'>;

/** Encoded PUBLISH packets, ready to be copied to a wire or shared among many. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Where the two bytes of the packet identifier stand in `bytes`; -1 for QoS 0. */
  readonly packetIdAt: number;
  /** The whole of `bytes`, where several wires have them. */
  shared?: SharedBytes | undefined;
}

/** What makes a packet unlike those of the other receivers. */
export interface SpecialFrame {
  /** Whether the receiver speaks MQTT 5.0. */
  readonly v5: boolean;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /** Wall-clock milliseconds, for the message expiry interval. */
  readonly now: number;
  /** Outgoing alias; 0 for none. */
  readonly topicAlias: number;
  /** Leaves the topic out: the receiver knows the alias. */
  readonly aliasKnown: boolean;
}

const empty = new Uint8Array(0);
const keptBytes = new KeptBytes();

/**
 * An application message on its way to its subscribers; or a run of several messages of one topic that arrived in one read
 * and are forwarded as one span of bytes (`count` above 1).
 *
 * It is what the store keeps of it, too, once it is kept: its body is stored once, however many queues hold it.
 *
 * Invariants: its bytes are the transport's at first, and live only as long as the read that brought them, so whoever keeps
 * the message calls {@link keep} or {@link keepAWhile} before that ends.
 *
 * Its packets as they came are the {@link Frame} of those receivers who have the version and QoS of its publisher.
 */
export class Message implements MessageRecord, Frame {
  /** Those that had to be made, by version and QoS. */
  private frames: (Frame | undefined)[] | undefined;
  shared: SharedBytes | undefined = undefined;
  /** Sessions that keep it in memory. */
  keepers = 0;
  private used = false;

  private constructor(
    readonly topic: string,
    readonly qos: QoS,
    /** The flag as the publisher set it. */
    readonly retain: boolean,
    readonly properties: ForwardedProperties | undefined,
    /** Wall-clock milliseconds; Infinity when it does not expire. */
    readonly expiresAt: number,
    /** Client ID of the publisher; undefined when the server is. */
    readonly publisher: string | undefined,
    /** How many messages the span holds. */
    readonly count: number,
    /** Bytes of the largest packet of the span, as it arrived. */
    readonly largest: number,
    public bytes: Uint8Array,
    public start: number,
    private payloadStart: number,
    public end: number,
    public packetIdAt: number,
    private memory: 'of the transport' | 'beside others' | 'its own',
    private source: IncomingPublish | undefined,
  ) {}

  /** A message as it arrived; `topic` is given apart since the packet may bear an alias. */
  static arrived(packet: IncomingPublish, topic: string, publisher: string, now: number): Message {
    const { properties } = packet;
    const expiry = properties?.messageExpiryInterval;
    const verbatim = !packet.dup && !packet.retain && expiry === undefined && properties?.topicAlias === undefined;
    let forwarded: ForwardedProperties | undefined = properties;
    if (properties?.topicAlias !== undefined) {
      const { topicAlias: _alias, ...rest } = properties;
      forwarded = rest;
    }
    return new Message(
      topic,
      packet.qos,
      packet.retain,
      forwarded,
      expiry === undefined ? Number.POSITIVE_INFINITY : now + expiry * 1000,
      publisher,
      packet.count,
      packet.largest,
      packet.bytes,
      packet.start,
      packet.payloadStart,
      packet.end,
      packet.packetIdAt,
      'of the transport',
      verbatim ? packet : undefined,
    );
  }

  /** A message from elsewhere: a will, a retained or stored one, `$SYS`. Owns `payload`. */
  static of(
    topic: string,
    payload: Uint8Array,
    options: {
      qos?: QoS;
      retain?: boolean;
      properties?: ForwardedProperties | undefined;
      expiresAt?: number;
      publisher?: string | undefined;
    } = {},
  ): Message {
    return new Message(
      topic,
      options.qos ?? 0,
      options.retain ?? false,
      options.properties,
      options.expiresAt ?? Number.POSITIVE_INFINITY,
      options.publisher,
      1,
      payload.length + topic.length * 3 + 16,
      payload,
      0,
      0,
      payload.length,
      -1,
      'its own',
      undefined,
    );
  }

  /** A message read back from the store. */
  static restored(record: MessageRecord): Message {
    return Message.of(record.topic, record.payload, record);
  }

  /** The payload, of a single message. A view: see {@link keep}. */
  get payload(): Uint8Array {
    if (this.payloadStart === this.end) return empty;
    return this.payloadStart === 0 && this.end === this.bytes.length
      ? this.bytes
      : this.bytes.subarray(this.payloadStart, this.end);
  }

  get payloadLength(): number {
    return this.end - this.payloadStart;
  }

  /** What it counts for where messages are bounded. */
  get size(): number {
    return messageSize(this.topic, this.payloadLength, this.properties);
  }

  /** As the publisher chose them, of a run of QoS 1 or 2; none otherwise. */
  get packetIds(): readonly number[] {
    return this.source?.packetIds ?? [];
  }

  /** The messages of a run, one by one. */
  *each(): Generator<Message> {
    if (this.count === 1 || this.source === undefined) {
      yield this;
      return;
    }
    for (const packet of this.source.each()) yield Message.arrived(packet, this.topic, this.publisher ?? '', 0);
  }

  /** Makes the bytes its own, so that they outlive the read that brought them, however long, and hold nothing else. */
  keep(): this {
    if (this.memory === 'its own') return this;
    const { bytes, start, end } = this;
    const own = Buffer.allocUnsafeSlow(end - start);
    own.set(bytes.subarray(start, end));
    this.move(own, 0);
    this.memory = 'its own';
    return this;
  }

  /** As {@link keep}, for less and not for long: other bytes may be held with its own. */
  keepAWhile(): this {
    const { bytes, start, end, memory, source } = this;
    if (memory !== 'of the transport') return this;
    if (source === undefined || end - start > largestBeside) return this.keep();
    this.move(keptBytes.copy(bytes, start, end, source.chunk), keptBytes.start);
    this.memory = 'beside others';
    return this;
  }

  private move(bytes: Uint8Array, to: number): void {
    const by = to - this.start;
    this.bytes = bytes;
    this.start += by;
    this.payloadStart += by;
    this.end += by;
    if (this.packetIdAt >= 0) this.packetIdAt += by;
    if (this.count > 1) this.source = this.source?.moved(bytes, by);
  }

  /** Whether its packets are, as they came, those of such a receiver. */
  isFrameOf(v5: boolean, qos: QoS): boolean {
    const { source } = this;
    return source !== undefined && source.qos === qos && (source.version === 5) === v5;
  }

  /** The packets as most receivers of a version and QoS get them: built once and shared by all of them. */
  frame(v5: boolean, qos: QoS): Frame {
    if (this.isFrameOf(v5, qos)) return this;
    const slot = (v5 ? 3 : 0) + qos;
    this.frames ??= [undefined, undefined, undefined, undefined, undefined, undefined]; // of six slots
    let frame = this.frames[slot];
    if (frame === undefined) {
      frame = this.encode(ordinarily(v5, qos));
      this.frames[slot] = frame;
    }
    return frame;
  }

  /** The packets for one receiver alone. */
  specialFrame(options: SpecialFrame): Frame {
    return this.encode(options);
  }

  /** Whether its packets change as time passes: they carry what is left of the message expiry interval. */
  get expires(): boolean {
    return this.expiresAt !== Number.POSITIVE_INFINITY;
  }

  /** Whether its time is over; the clock is read only for one that has any. */
  get hasExpired(): boolean {
    return this.expires && this.expiresAt <= Date.now();
  }

  /** True the first time it is asked: bytes that go to one wire alone are copied there, not shared. */
  isFirstUse(): boolean {
    if (this.used) return false;
    this.used = true;
    return true;
  }

  /** A QoS 0 frame's bytes in memory that nobody changes, as one piece to be shared by many wires. */
  stable(frame: Frame): SharedBytes {
    if (frame === this) this.keep();
    frame.shared ??= new SharedBytes(frame.bytes);
    return frame.shared;
  }

  /** Seconds that are left of the message expiry interval; undefined when it does not expire. */
  secondsLeft(now: number): number | undefined {
    if (this.expiresAt === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(0, Math.ceil((this.expiresAt - now) / 1000));
  }

  private encode(options: SpecialFrame): Frame {
    const packets: Uint8Array[] = [];
    for (const message of this.each()) packets.push(message.encodeOne(options));
    const bytes = packets.length === 1 ? (packets[0] as Uint8Array) : Buffer.concat(packets);
    return { bytes, start: 0, end: bytes.length, packetIdAt: options.qos === 0 ? -1 : packetIdOffset(bytes, 0) };
  }

  private encodeOne(options: SpecialFrame): Uint8Array {
    const { v5, qos, retain, subscriptionIdentifiers, topicAlias, aliasKnown } = options;
    const secondsLeft = v5 ? this.secondsLeft(options.now) : undefined;
    const properties: PublishProperties | undefined = v5
      ? {
          ...this.properties, // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-20]
          ...(secondsLeft === undefined ? {} : { messageExpiryInterval: secondsLeft }), // [MQTT-3.3.2-6]
          ...(subscriptionIdentifiers === undefined ? {} : { subscriptionIdentifiers }),
          ...(topicAlias === 0 ? {} : { topicAlias }),
        }
      : undefined;
    const packet: PublishPacket = {
      type: PacketType.PUBLISH,
      topic: aliasKnown ? '' : this.topic, // [MQTT-3.3.2-3]
      payload: this.payload,
      qos,
      retain,
      dup: false,
      packetId: qos === 0 ? 0 : 1, // overwritten for each receiver
    };
    if (properties !== undefined) packet.properties = properties;
    return encode(packet, v5 ? 5 : 4);
  }
}

/** What most receivers get. Written out: spreading one object into another costs more than the rest of the encoding. */
function ordinarily(v5: boolean, qos: QoS): SpecialFrame {
  return { v5, qos, retain: false, subscriptionIdentifiers: undefined, now: 0, topicAlias: 0, aliasKnown: false };
}
