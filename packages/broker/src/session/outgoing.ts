import { CodecError, type QoS, ReasonCode } from '@moat/codec';
import type { Message } from '../routing/message.js';
import type { Target } from '../routing/subscriber.js';
import type { Store } from '../storage/store.js';
import { type Delivery, entryOf, newDelivery, packetIdOf } from './delivery.js';
import type { Link } from './link.js';
import {
  type DropReason,
  OutgoingQueue,
  type QueueLimits,
  type QueueOwner,
  type RestoredQueue,
} from './outgoing-queue.js';

/** What it asks of its session. */
export interface OutgoingOwner extends QueueOwner {
  readonly link: Link | undefined;
  mayReceive(topic: string): boolean;
}

const packetIds = 65_535;

/**
 * The QoS 1 and 2 messages of one session: what waits, and what is in flight.
 *
 * ```
 *   push ─> [ queue ] ─quota─> [ in flight ] ─PUBACK / PUBCOMP─> gone
 *              (positions rise from right to left)
 * ```
 *
 * Invariants: messages leave in the order of their positions // [MQTT-4.6.0-5] [MQTT-4.6.0-6]; at most
 * `receiveMaximum` are unacknowledged, and not many more bytes than a queue may hold.
 */
export class Outgoing {
  private readonly queue: OutgoingQueue;
  /** By packet identifier, in order of sending. */
  private readonly inFlight = new Map<number, Delivery>();
  private inFlightBytes = 0;
  /** Of those in flight, what a resumed session has yet to send again. */
  private readonly again = new Set<Delivery>();
  /** How many of the others count against the client's receive maximum. */
  private outstanding = 0;
  private lastPosition: number;
  private lastSent: number;

  constructor(
    private readonly owner: OutgoingOwner,
    private readonly store: Store,
    private readonly limits: QueueLimits,
    restored?: RestoredQueue,
  ) {
    this.queue = new OutgoingQueue(owner, store, limits, restored);
    this.lastPosition = restored?.lastPosition ?? 0;
    this.lastSent = restored?.sentUpTo ?? 0;
  }

  /** Messages that wait, in memory or in the store. */
  get queued(): number {
    return this.queue.length;
  }

  get bytes(): number {
    return this.queue.bytes;
  }

  /** Whether a message that is pushed now leaves at once. */
  get isReady(): boolean {
    const { link } = this.owner;
    return link !== undefined && this.queued === 0 && this.again.size === 0 && this.maySend(link);
  }

  get inFlightCount(): number {
    return this.inFlight.size;
  }

  /** The last position that was sent: those behind it are new to the client. */
  get sentUpTo(): number {
    return this.lastSent;
  }

  /** Sends a message, or adds it to those that wait. */
  push(message: Message, qos: 1 | 2, retain: boolean, target: Target): void {
    const { link, stored } = this.owner;
    const straight = link !== undefined && this.isReady;
    if (!straight && !this.queue.makeRoom(message.size)) return;
    const delivery = newDelivery(this.nextPosition(), message.keep(), qos, retain, target);
    if (stored) this.store.enqueue(this.owner.clientId, entryOf(delivery));
    if (straight && !this.inFlight.has(packetIdOf(delivery.position))) this.transmit(link, delivery);
    else this.queue.push(delivery, link !== undefined);
  }

  /**
   * A connection serves the session again: everything unacknowledged is sent once more, in order, to this client and to
   * no other member of a shared subscription. // [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-4.8.2-4] [MQTT3-4.4.0-1]
   */
  attach(link: Link): void {
    this.outstanding = 0;
    this.again.clear();
    for (const [packetId, delivery] of [...this.inFlight]) {
      if (delivery.state === 'released') {
        this.outstanding++;
        link.release(packetId); // a PUBREL waits for no quota // [MQTT-3.3.4-10] [MQTT-4.9.0-3]
      } else {
        this.again.add(delivery);
        this.sendAgain(link);
      }
    }
    this.drain(link);
  }

  /** The connection is gone. */
  detach(): void {
    this.again.clear();
    this.queue.detach();
  }

  /** Sends as much as the client's quota and the wire allow. */
  drain(link: Link): void {
    this.sendAgain(link);
    while (this.again.size === 0 && this.maySend(link)) {
      const next = this.queue.first;
      if (next === undefined) {
        this.page();
        return;
      }
      if (this.inFlight.has(packetIdOf(next.position))) return; // [MQTT-2.2.1-4]
      this.queue.shift();
      this.send(link, next);
    }
  }

  /**
   * PUBACK, or a PUBREC that refuses: the message is done. False for an identifier that is not in use.
   * Throws CodecError 0x82 for an acknowledgement that the message's QoS does not have.
   */
  acknowledged(packetId: number, qos: QoS): boolean {
    const delivery = this.find(packetId, qos);
    if (delivery?.state !== 'sent') return false;
    this.finish(packetId, delivery); // [MQTT-4.3.2-3] [MQTT-4.4.0-2]
    return true;
  }

  /** PUBREC: from here on only the identifier matters. False, and throws, as {@link acknowledged}. */
  received(packetId: number): boolean {
    const delivery = this.find(packetId, 2);
    if (delivery === undefined) return false;
    if (delivery.state === 'sent') {
      delivery.state = 'released'; // [MQTT-4.3.3-3] [MQTT-4.3.3-6]
      if (this.owner.stored) this.store.release(this.owner.clientId, delivery.position);
    }
    return true;
  }

  /** PUBCOMP. False, and throws, as {@link acknowledged}. */
  completed(packetId: number): boolean {
    const delivery = this.find(packetId, 2);
    if (delivery === undefined) return false;
    if (delivery.state !== 'released') throw unexpected();
    this.finish(packetId, delivery); // [MQTT-4.3.3-5]
    return true;
  }

  /**
   * The session ends: what came through shared subscriptions and may go to another member. A QoS 2 message that
   * was sent may not. // [MQTT-4.8.2-5]
   */
  async leftovers(): Promise<{ message: Message; sharedFilter: string }[]> {
    const left = [...this.inFlight.values(), ...(await this.queue.takeAll())];
    return left.flatMap(({ message, sharedFilter, qos, position }) =>
      sharedFilter === undefined || (qos === 2 && position <= this.lastSent) ? [] : [{ message, sharedFilter }],
    );
  }

  private maySend(link: Link): boolean {
    return this.hasQuota(link) && this.inFlightBytes <= this.limits.max_queued_bytes;
  }

  private hasQuota(link: Link): boolean {
    return this.outstanding < link.receiveMaximum && link.writable; // [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
  }

  /** Passes over the identifiers that the client has not acknowledged for a whole round. // [MQTT-4.3.2-1] [MQTT-4.3.3-1] */
  private nextPosition(): number {
    do this.lastPosition++;
    while (this.inFlight.size < packetIds && this.inFlight.has(packetIdOf(this.lastPosition)));
    return this.lastPosition;
  }

  /** Sends what waited, if it still may be. */
  private send(link: Link, delivery: Delivery): void {
    const { message, position } = delivery;
    // Once it was sent it does not expire. // [MQTT-3.3.2-5] [MQTT-4.3.3-7]
    if (message.expiresAt <= Date.now() && position > this.lastSent) this.drop(delivery, 'expired');
    else if (!this.owner.mayReceive(message.topic)) this.drop(delivery, 'not_authorized');
    else this.transmit(link, delivery);
  }

  private transmit(link: Link, delivery: Delivery): void {
    const { position, message } = delivery;
    const sentBefore = position <= this.lastSent; // by the broker that was here before a restart
    if (!publish(link, delivery, sentBefore)) return this.drop(delivery, 'too_large');
    if (!sentBefore) this.lastSent = position;
    delivery.state = 'sent';
    this.inFlight.set(packetIdOf(position), delivery);
    this.inFlightBytes += message.size;
    this.outstanding++;
  }

  /** Sends again what is left of that, as far as the client takes it. */
  private sendAgain(link: Link): void {
    for (const delivery of this.again) {
      if (!this.hasQuota(link)) return;
      const allowed = this.owner.mayReceive(delivery.message.topic);
      if (allowed && publish(link, delivery, true)) {
        this.again.delete(delivery);
        this.outstanding++;
      } else {
        this.forget(packetIdOf(delivery.position), delivery);
        this.drop(delivery, allowed ? 'too_large' : 'not_authorized');
      }
    }
  }

  /** The message under way by an identifier. */
  private find(packetId: number, qos: QoS): Delivery | undefined {
    const delivery = this.inFlight.get(packetId);
    if (delivery !== undefined && delivery.qos !== qos) throw unexpected();
    return delivery;
  }

  private finish(packetId: number, delivery: Delivery): void {
    this.forget(packetId, delivery);
    if (this.owner.stored) this.store.dequeue(this.owner.clientId, delivery.position);
    const { link } = this.owner;
    if (link !== undefined) this.drain(link);
  }

  private forget(packetId: number, delivery: Delivery): void {
    this.inFlight.delete(packetId);
    this.inFlightBytes -= delivery.message.size;
    if (!this.again.delete(delivery)) this.outstanding--;
  }

  private drop(delivery: Delivery, why: DropReason): void {
    this.owner.dropped(1, why);
    if (this.owner.stored) this.store.dequeue(this.owner.clientId, delivery.position);
  }

  private page(): void {
    this.queue.page(
      (delivery) => {
        const packetId = packetIdOf(delivery.position);
        this.inFlight.set(packetId, delivery);
        this.inFlightBytes += delivery.message.size;
        this.outstanding++;
        this.owner.link?.release(packetId);
      },
      () => {
        const { link } = this.owner;
        if (link === undefined) this.queue.detach();
        else this.drain(link);
      },
    );
  }
}

// [MQTT-3.3.1-1] [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
function publish(link: Link, delivery: Delivery, dup: boolean): boolean {
  const { message, position, qos, retain, subscriptionIdentifiers } = delivery;
  return link.publish(message, { qos, retain, dup, packetId: packetIdOf(position), subscriptionIdentifiers });
}

function unexpected(): CodecError {
  return new CodecError(ReasonCode.protocolError, 'an acknowledgement that does not belong to its QoS');
}
