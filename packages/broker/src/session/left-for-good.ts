import { PacketType, type QoS } from '@moat/codec';
import type { Message } from '../routing/message.js';
import type { Target } from '../routing/subscriber.js';
import { unexpected } from './delivery.js';
import type { KeptMessages } from './kept-messages.js';
import type { Link } from './link.js';
import { PacketIdentifiers } from './packet-identifiers.js';

/** What the client is to send next for a message: PUBACK, or PUBREC and then PUBCOMP. */
export type Awaited = typeof PacketType.PUBACK | typeof PacketType.PUBREC | typeof PacketType.PUBCOMP;

/** Packet identifiers that follow one another and await the same. */
interface Span {
  first: number;
  count: number;
  readonly awaited: Awaited;
}

/** More are not looked through. Who acknowledges in order has two: what awaits PUBREC, and PUBCOMP. */
const mostSpans = 8;

/**
 * The packet identifiers of messages that nobody would send again, as long as the client has not acknowledged them.
 *
 * They are given out in order, and mostly acknowledged in it, so what is under way are a few spans, whatever its number:
 *
 * ```
 *   free │ awaits PUBCOMP │ awaits PUBREC │ free
 *        └─ PUBCOMP ─▶    └─ PUBREC ─▶    └─ sent ─▶
 * ```
 *
 * What is acknowledged in another order is looked up by itself.
 */
export class LeftForGood {
  private spans: Span[] = [];
  private apart = new PacketIdentifiers<Awaited>();
  /** Packet identifiers in use. */
  size = 0;

  constructor(private readonly kept: KeptMessages) {}

  has(packetId: number): boolean {
    return this.awaited(packetId) !== undefined;
  }

  /** Sends a message under an identifier that is free; false where it is larger than the client takes. */
  send(link: Link, message: Message, qos: 1 | 2, retain: boolean, target: Target, packetId: number): boolean {
    const { subscriptionIdentifiers } = target;
    if (!link.publish(message, { qos, retain, dup: false, packetId, subscriptionIdentifiers })) return false;
    this.add(packetId, 1, qos);
    return true;
  }

  /** Sends a run under identifiers that are free: they rise, but that 1 comes behind 65535. */
  sendRun(link: Link, message: Message, qos: 1 | 2, packetIds: readonly number[]): void {
    const first = packetIds[0] as number;
    if (packetIds.at(-1) === first + packetIds.length - 1) this.add(first, packetIds.length, qos);
    else for (const packetId of packetIds) this.add(packetId, 1, qos);
    link.publishRun(message, packetIds);
  }

  /** PUBACK, or a PUBREC that refuses. False where it is too late for that, undefined where the identifier is not one of these. */
  acknowledged(packetId: number, qos: QoS): boolean | undefined {
    const awaited = this.awaitedOf(packetId, qos);
    if (awaited === undefined) return undefined;
    if (awaited === PacketType.PUBCOMP) return false;
    this.step(packetId, 1, undefined); // [MQTT-4.3.2-3]
    return true;
  }

  /** PUBREC, for the first time or again. */
  received(packetId: number): true | undefined {
    const awaited = this.awaitedOf(packetId, 2);
    if (awaited === PacketType.PUBREC) this.step(packetId, 1, PacketType.PUBCOMP); // [MQTT-4.3.3-3]
    return awaited === undefined ? undefined : true;
  }

  /** PUBCOMP. */
  completed(packetId: number): true | undefined {
    const awaited = this.awaitedOf(packetId, 2);
    if (awaited === PacketType.PUBREC) throw unexpected();
    if (awaited !== undefined) this.step(packetId, 1, undefined); // [MQTT-4.3.3-5]
    return awaited === undefined ? undefined : true;
  }

  /**
   * Acknowledgements with success: how many of them, from `at` on, are of those that a span begins with, in their order, and
   * are what these await. They have been acted upon.
   */
  together(type: Awaited, packetIds: readonly number[], at: number): number {
    const span = this.spanOf(packetIds[at] as number);
    if (span === undefined || span.first !== packetIds[at] || span.awaited !== type) return 0;
    let count = 1;
    while (count < span.count && packetIds[at + count] === span.first + count) count++;
    this.step(span.first, count, type === PacketType.PUBREC ? PacketType.PUBCOMP : undefined);
    return count;
  }

  /** The connection is gone, and with it all that it awaited. */
  clear(): void {
    this.kept.letGoIdentifiers(this.apart.size);
    this.apart = new PacketIdentifiers();
    this.spans = [];
    this.size = 0;
  }

  private add(first: number, count: number, qos: 1 | 2): void {
    this.size += count;
    this.put(first, count, qos === 1 ? PacketType.PUBACK : PacketType.PUBREC);
  }

  private awaited(packetId: number): Awaited | undefined {
    return this.spanOf(packetId)?.awaited ?? this.apart.get(packetId);
  }

  /** Throws CodecError 0x82 where a message of that QoS is not the one that awaits something. */
  private awaitedOf(packetId: number, qos: QoS): Awaited | undefined {
    const awaited = this.awaited(packetId);
    if (awaited !== undefined && (awaited === PacketType.PUBACK) !== (qos === 1)) throw unexpected();
    return awaited;
  }

  /** One, or the first of a span and as many behind it, await something else from now on, or are free. */
  private step(first: number, count: number, next: Awaited | undefined): void {
    this.take(first, count);
    if (next === undefined) this.size -= count;
    else this.put(first, count, next);
  }

  private spanOf(packetId: number): Span | undefined {
    for (const span of this.spans) {
      if (packetId >= span.first && packetId < span.first + span.count) return span;
    }
    return undefined;
  }

  private put(first: number, count: number, awaited: Awaited): void {
    for (const span of this.spans) {
      if (span.awaited !== awaited || span.first + span.count !== first) continue;
      span.count += count;
      return;
    }
    if (this.spans.length < mostSpans) this.spans.push({ first, count, awaited });
    else this.setApart({ first, count, awaited });
  }

  private take(first: number, count: number): void {
    const span = this.spanOf(first);
    if (span?.first === first) {
      span.first += count;
      span.count -= count;
      if (span.count === 0) this.remove(span);
      return;
    }
    if (span !== undefined) {
      this.remove(span);
      this.setApart(span);
    }
    this.apart.delete(first);
    this.kept.letGoIdentifiers(1);
  }

  private remove(span: Span): void {
    this.spans[this.spans.indexOf(span)] = this.spans.at(-1) as Span;
    this.spans.pop();
  }

  private setApart({ first, count, awaited }: Span): void {
    for (let packetId = first; packetId < first + count; packetId++) this.apart.set(packetId, awaited);
    this.kept.keepIdentifiers(count);
  }
}
