import { basename } from 'node:path';
import {
  type AcknowledgementType,
  encode,
  type Packet,
  PacketType,
  type QoS,
  writeAcknowledgement,
  writePacketIds,
} from '@moat/codec';
import type { Decision } from '../policy/decide.js';
import type { Message } from '../routing/message.js';
import type { OutgoingPublish } from '../session/link.js';
import { Outbox, shareFrom } from '../transport/outbox.js';
import type { Timer } from '../transport/timer-wheel.js';
import type { Wire } from '../transport/wire.js';
import type { ConnectionContext } from './context.js';
import type { TopicAliases } from './topic-aliases.js';

/** Bytes that may wait for each client even where all together have no room: they lie in one small slab, or two. */
const spared = 16_384;
/** Bytes by which a packet may grow when it is encoded for a subscriber: flags, alias, length. */
const encodingSlack = 32;

/**
 * The half of a connection that faces the client: packets become bytes in the outbox, within what the client takes.
 *
 * Above the high-water mark QoS 0 messages are dropped and counted, and a reader that stays there is given up.
 */
export abstract class Outbound {
  readonly outbox: Outbox;
  /** Whether something was written since it was last looked whether the client reads. */
  protected hasWritten = false;
  /** Whether the client speaks MQTT 5.0. */
  v5 = false;
  /** The largest packet that the client takes. */
  maximumPacketSize = 268_435_460;
  /** Whether reason strings and user properties may be sent in every packet. // [MQTT-3.1.2-29] */
  requestProblemInformation = true;
  outgoingAliases: TopicAliases | undefined = undefined;
  private stuckTimer: Timer | undefined = undefined;

  constructor(
    readonly wire: Wire,
    readonly context: ConnectionContext,
  ) {
    this.outbox = new Outbox(wire, context.flushQueue, context.buffered);
  }

  abstract get version(): 3 | 4 | 5;

  /** The client has read nothing for too long. */
  protected abstract stuck(): void;

  /** Encodes and sends any packet but PUBLISH. */
  write(packet: Packet, version: 3 | 4 | 5 = this.version): void {
    let bytes = encode(packet, version);
    if (bytes.length > this.maximumPacketSize) {
      // A reason string or user property never makes a packet too large for the client.
      // [MQTT-3.2.2-19] [MQTT-3.2.2-20] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2]
      // [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.11.2-1] [MQTT-3.11.2-2]
      // [MQTT-3.15.2-2] [MQTT-3.15.2-3]
      bytes = encode(withoutExtras(packet), version); // [MQTT-3.14.2-3] [MQTT-3.14.2-4]
      if (bytes.length > this.maximumPacketSize) return;
    }
    this.out.copy(bytes, 0, bytes.length);
    this.context.counters.packetsSent++;
    this.context.counters.bytesSent += bytes.length;
  }

  /** The reason in words, where operator and client want it. // [MQTT-3.1.2-29] */
  problem(reason: string): { reasonString?: string } {
    return this.requestProblemInformation && this.context.reasonStrings ? { reasonString: reason } : {};
  }

  /** The reason of a denial, with the rule's place where the operator wants it told. */
  denial(reason: string, { rule }: Decision): string {
    if (!this.context.namesRules || rule === undefined) return reason;
    return `${reason}: ${basename(rule.place.file)}:${rule.place.line}`;
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP with success, in four bytes. */
  writeAcknowledgement(type: AcknowledgementType, packetId: number): void {
    const offset = this.out.reserve(4);
    writeAcknowledgement(this.outbox.target, offset, type, packetId);
    this.context.counters.packetsSent++;
    this.context.counters.bytesSent += 4;
  }

  /** As {@link writeAcknowledgement}, of each of `packetIds[start, end)`. */
  writeAcknowledgements(type: AcknowledgementType, packetIds: readonly number[], start: number, end: number): void {
    const length = 4 * (end - start);
    let offset = this.out.reserve(length);
    const { target } = this.outbox;
    for (let index = start; index < end; index++)
      offset = writeAcknowledgement(target, offset, type, packetIds[index] as number);
    this.context.counters.packetsSent += end - start;
    this.context.counters.bytesSent += length;
  }

  /** To be written to. */
  private get out(): Outbox {
    this.hasWritten = true;
    return this.outbox;
  }

  get writable(): boolean {
    const { limits, slowReader, buffered } = this.context;
    const most = buffered.hasRoom(0) ? limits.max_outgoing_buffer : spared;
    return this.outbox.hasRoom(Math.min(slowReader, most));
  }

  /** Whether a QoS 0 packet of so many bytes may wait here; told where not. */
  private hasRoom(bytes: number, messages: number): boolean {
    const { buffered, sessionCounters } = this.context;
    if (this.writable && (buffered.hasRoom(bytes) || this.outbox.waiting + bytes <= spared)) return true;
    sessionCounters.dropped.slow_reader += messages;
    this.watchStuck();
    return false;
  }

  forward(message: Message): void {
    const { counters, sessionCounters } = this.context;
    const { out: outbox } = this;
    if (!this.hasRoom(message.largest, message.count)) return;
    if (
      message.largest + encodingSlack > this.maximumPacketSize ||
      this.outgoingAliases !== undefined ||
      message.expires
    ) {
      this.publishSingly(message, plainly);
      return;
    }
    const frame = message.frame(this.v5, 0);
    const length = frame.end - frame.start;
    // Its properties, or the topic in place of an alias, may have made it larger than it came.
    if (length > this.maximumPacketSize && message.count === 1) {
      sessionCounters.dropped.too_large++; // [MQTT-3.1.2-24]
      return;
    }
    if (length < shareFrom || message.isFirstUse()) outbox.append(frame.bytes, frame.start, frame.end);
    else outbox.share(message.stable(frame));
    counters.messagesSent += message.count;
    counters.packetsSent += message.count;
    counters.bytesSent += length;
  }

  release(packetId: number): void {
    this.writeAcknowledgement(PacketType.PUBREL, packetId); // [MQTT-3.6.1-1]
  }

  /** The messages of a run one by one, each within the client's maximum. */
  private publishSingly(message: Message, options: OutgoingPublish): boolean {
    for (const single of message.each()) {
      if (!this.publish(single, options)) this.context.sessionCounters.dropped.too_large++;
    }
    return true;
  }

  publish(message: Message, options: OutgoingPublish): boolean {
    const { qos, retain, dup, packetId, subscriptionIdentifiers } = options;
    const { counters } = this.context;
    if (qos === 0 && !this.hasRoom(message.largest, message.count)) return true;
    const alias = this.outgoingAliases?.assign(message.topic) ?? noAlias;
    const { topicAlias, aliasKnown } = alias;
    const ordinary =
      !retain && topicAlias === 0 && (!this.v5 || (subscriptionIdentifiers === undefined && !message.expires));
    const frame = ordinary
      ? message.frame(this.v5, qos)
      : message.specialFrame({
          v5: this.v5,
          qos,
          retain,
          subscriptionIdentifiers,
          now: Date.now(),
          topicAlias,
          aliasKnown,
        });
    const length = frame.end - frame.start;
    if (length > this.maximumPacketSize) {
      this.outgoingAliases?.withdraw(alias); // [MQTT-3.1.2-24]
      return message.count > 1 && this.publishSingly(message, options);
    }
    const offset = this.out.copy(frame.bytes, frame.start, frame.end);
    const { target } = this.outbox;
    if (frame.packetIdAt >= 0) {
      const at = offset + frame.packetIdAt - frame.start;
      target[at] = packetId >> 8;
      target[at + 1] = packetId & 0xff;
    }
    if (dup) target[offset] = (target[offset] as number) | 0x08;
    counters.messagesSent += message.count;
    counters.packetsSent += message.count;
    counters.bytesSent += length;
    return true;
  }

  takesRun(message: Message, qos: QoS, subscriptionIdentifiers: readonly number[] | undefined): boolean {
    const isOrdinary = this.outgoingAliases === undefined && (!this.v5 || subscriptionIdentifiers === undefined);
    return isOrdinary && message.largest <= this.maximumPacketSize && message.isFrameOf(this.v5, qos);
  }

  publishRun({ bytes, start, end, count }: Message, packetIds: readonly number[]): void {
    const { counters } = this.context;
    const offset = this.out.copy(bytes, start, end);
    writePacketIds(this.outbox.target, offset, packetIds);
    counters.messagesSent += count;
    counters.packetsSent += count;
    counters.bytesSent += end - start;
  }

  /** Everything has left: whoever was above the high-water mark no longer is. */
  protected relieved(): void {
    this.stuckTimer?.cancel();
    this.stuckTimer = undefined;
  }

  protected watchStuck(): void {
    this.stuckTimer ??= this.context.timers.after(this.context.limits.stuck_timeout * 1000, () => {
      this.stuckTimer = undefined;
      if (!this.writable) this.stuck();
    });
  }
}

const plainly: OutgoingPublish = { qos: 0, retain: false, dup: false, packetId: 0, subscriptionIdentifiers: undefined };
const noAlias = { topicAlias: 0, aliasKnown: false };

/** What the client can do without goes before the packet does. */
function withoutExtras(packet: Packet): Packet {
  if (!('properties' in packet) || packet.properties === undefined) return packet;
  const { reasonString, userProperties, serverReference, ...properties } = packet.properties as Record<string, unknown>;
  return { ...packet, properties } as Packet;
}
