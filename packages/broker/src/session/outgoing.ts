import { PacketType, type QoS } from '@moat/codec';
import { mostKeptAWhile } from '../routing/kept-bytes.js';
import type { Message } from '../routing/message.js';
import type { Target } from '../routing/subscriber.js';
import type { Store } from '../storage/store.js';
import { type Delivery, entryOf, newDelivery, packetIdOf, unexpected } from './delivery.js';
import { Flight } from './flight.js';
import { type Give, offer, offerAll } from './hand-over.js';
import type { KeptMessages } from './kept-messages.js';
import { type Awaited, LeftForGood } from './left-for-good.js';
import type { Link } from './link.js';
import { type DropReason, OutgoingQueue, type QueueOwner, type RestoredQueue } from './outgoing-queue.js';
import { UntilDurable } from './until-durable.js';

/** What it asks of its session. */
export interface OutgoingOwner extends QueueOwner {
  readonly link: Link | undefined;
  mayReceive(topic: string): boolean;
}

const packetIds = 65_535;
/** So many positions are passed over after a crash: what was sent under them may not have come to the store. */
const lostPositions = 32_768;

/**
 * The QoS 1 and 2 messages of one session: what waits, and what is in flight.
 *
 * ```
 *   push ─> [ queue ] ─quota─> [ in flight ] ─PUBACK / PUBCOMP─> gone
 *              (positions rise from right to left)
 * ```
 *
 * Invariants: messages leave in the order of their positions // [MQTT-4.6.0-5] [MQTT-4.6.0-6]; at most
 * `receiveMaximum` are unacknowledged, and not many more bytes are kept of them than a queue may hold; no QoS 2 message of
 * a stored session leaves before its place in the queue is durable, or a crash could send it twice (invariant 2).
 */
export class Outgoing {
  readonly queue: OutgoingQueue;
  /** Undefined where nothing is: a session that is away and has a long queue takes no more memory than another. */
  private flight: Flight | undefined = undefined;
  /** What is in flight besides, and will not be sent again. */
  private forGood: LeftForGood | undefined = undefined;
  private untilDurable: UntilDurable | undefined = undefined;
  private handing: Promise<number> | undefined = undefined;
  private lastPosition: number;
  private lastSent: number;

  constructor(
    readonly owner: OutgoingOwner,
    private readonly store: Store,
    private readonly kept: KeptMessages,
    restored?: RestoredQueue,
  ) {
    this.queue = new OutgoingQueue(owner, store, kept, restored);
    this.lastPosition = (restored?.lastPosition ?? 0) + (restored?.crashed ? lostPositions : 0);
    this.lastSent = restored?.sentUpTo ?? 0;
  }

  /** Messages that wait, in memory or in the store. */
  get queued(): number {
    return this.queue.length;
  }

  /** Whether a message that is pushed now leaves at once. */
  get isReady(): boolean {
    const { link } = this.owner;
    return link !== undefined && this.queue.isEmpty && this.maySend(link);
  }

  /** Bytes that are kept of it in memory, as far as its client has to take or acknowledge them. */
  get bytesInFlight(): number {
    return this.flight?.bytes ?? 0;
  }

  get inFlightCount(): number {
    return (this.flight?.size ?? 0) + (this.forGood?.size ?? 0) + this.queue.resting;
  }

  /** Changes with every message that is pushed. */
  get position(): number {
    return this.lastPosition;
  }

  /** The last position that was sent: those behind it are new to the client. */
  get sentUpTo(): number {
    return this.lastSent;
  }

  /** Sends a message, or adds it to those that wait. */
  push(message: Message, qos: 1 | 2, retain: boolean, target: Target): void {
    const { link, stored } = this.owner;
    // Only what nobody could refuse comes here then: a will, or a message of QoS 2 that was taken before.
    if (stored && this.store.failure !== undefined) return this.owner.dropped(1, 'not_stored');
    const hasRoom = this.kept.hasRoom(message.size);
    // The store has it as well: without room in memory it stays there alone.
    if (!hasRoom && !stored) return this.owner.dropped(1, 'queue_full');
    const straight = hasRoom && link !== undefined && this.isReady;
    if (!straight) {
      if (link !== undefined && this.queue.isEmpty && this.open >= link.receiveMaximum) link.quotaMet();
      if (!this.queue.makeRoom(message.size)) return;
    }
    if (straight && this.isForGood(target) && this.inFlightCount < packetIds) {
      this.forGood ??= new LeftForGood(this.kept);
      if (this.forGood.send(link, message, qos, retain, target, packetIdOf(this.nextPosition())))
        this.lastSent = this.lastPosition;
      else this.owner.dropped(1, 'too_large');
      return;
    }
    const isBrief = straight && !stored && this.inFlightCount < mostKeptAWhile;
    const kept = isBrief ? message.keepAWhile() : message.keep();
    const delivery = newDelivery(this.nextPosition(), kept, qos, retain, target);
    if (stored) {
      this.store.enqueue(this.owner.clientId, entryOf(delivery));
      delivery.durableAt = this.store.staged;
    }
    if (straight && this.inFlightCount < packetIds) this.transmit(link, delivery);
    else this.queue.push(delivery, hasRoom && link !== undefined);
  }

  /** Does the same with the messages of a run: together where all can leave for good. */
  pushRun(message: Message, qos: 1 | 2, target: Target): void {
    const { link } = this.owner;
    if (link === undefined || !this.mayLeaveTogether(link, message, qos, target)) {
      for (const single of message.each()) this.push(single, qos, false, target);
      return;
    }
    const ids = new Array<number>(message.count);
    for (let index = 0; index < ids.length; index++) ids[index] = packetIdOf(this.nextPosition());
    this.lastSent = this.lastPosition;
    this.forGood ??= new LeftForGood(this.kept);
    this.forGood.sendRun(link, message, qos, ids);
  }

  /**
   * A connection serves the session again: everything unacknowledged is sent once more, in order, to this client and to
   * no other member of a shared subscription. // [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-4.8.2-4] [MQTT3-4.4.0-1]
   */
  attach(link: Link): void {
    this.flight?.restart();
    for (const delivery of this.flight?.all() ?? []) this.resume(link, delivery);
    this.drain(link);
  }

  /** The connection is gone: what the store has as well need not stay in memory. */
  detach(): void {
    this.flight?.restart();
    this.forGood?.clear();
    if (!this.owner.stored) return;
    this.queue.detach(this.flight?.all() ?? [], this.lastSent);
    this.flight = undefined;
  }

  /** Sends as much as the client's quota and the wire allow. */
  drain(link: Link): void {
    this.sendUnsent(link);
    while (this.maySend(link)) {
      const next = this.queue.first;
      if (next === undefined) {
        this.page();
        return;
      }
      if (this.isUnderWay(next.packetId)) return; // [MQTT-2.2.1-4]
      if (!this.kept.hasRoom(next.size)) return; // for the copy that leaves
      this.queue.shift();
      this.send(link, next);
    }
  }

  /**
   * PUBACK, or a PUBREC that refuses: the message is done. False for an identifier that is not in use.
   * Throws CodecError 0x82 for an acknowledgement that the message's QoS does not have.
   */
  acknowledged(packetId: number, qos: QoS): boolean {
    const known = this.forGood?.acknowledged(packetId, qos);
    if (known === true) this.goOn();
    if (known !== undefined) return known;
    const delivery = this.find(packetId, qos);
    if (delivery?.state !== 'sent') return false;
    this.finish(delivery); // [MQTT-4.3.2-3] [MQTT-4.4.0-2]
    return true;
  }

  /** PUBREC: from here on only the identifier matters. False, and throws, as {@link acknowledged}. */
  received(packetId: number): boolean {
    if (this.forGood?.received(packetId)) return true;
    const delivery = this.find(packetId, 2);
    if (delivery === undefined || delivery.state === 'queued') return false;
    if (delivery.state === 'sent') {
      delivery.state = 'released'; // [MQTT-4.3.3-3] [MQTT-4.3.3-6]
      if (this.owner.stored) {
        this.store.release(this.owner.clientId, delivery.position);
        delivery.durableAt = this.store.staged;
      }
    }
    return true;
  }

  /** PUBCOMP. False, and throws, as {@link acknowledged}. */
  completed(packetId: number): boolean {
    if (this.forGood?.completed(packetId)) {
      this.goOn();
      return true;
    }
    const delivery = this.find(packetId, 2);
    if (delivery === undefined || delivery.state === 'queued') return false;
    if (delivery.state !== 'released') throw unexpected();
    this.finish(delivery); // [MQTT-4.3.3-5]
    return true;
  }

  /** As {@link LeftForGood.together}. The others are to be looked at one by one. */
  acknowledgedTogether(type: Awaited, packetIds: readonly number[], at: number): number {
    const count = this.forGood?.together(type, packetIds, at) ?? 0;
    if (count > 0 && type !== PacketType.PUBREC) this.goOn();
    return count;
  }

  /**
   * Before the session ends: gives what came through shared subscriptions and only the store has to other members, as far as
   * `give` accepts it. Resolves with the position up to which all was offered; stops when the client is back. Rejects when
   * the store fails.
   */
  handOver(give: Give): Promise<number> {
    this.handing ??= offerAll(this, give).finally(() => {
      this.handing = undefined;
    });
    return this.handing;
  }

  /** When the session ends: the same with what is in memory. // [MQTT-4.8.2-5] */
  giveRest(give: Give): void {
    for (const delivery of this.inMemory()) offer(delivery, this.lastSent, give);
  }

  /** In order. */
  inMemory(): Delivery[] {
    return [...(this.flight?.all() ?? []), ...this.queue.inMemory()];
  }

  /** The session has ended: nothing is kept for it. */
  end(): void {
    for (const delivery of this.flight?.all() ?? []) this.kept.letGoDelivery(delivery);
    this.forGood?.clear();
    this.queue.end();
  }

  private maySend(link: Link): boolean {
    const hasQuota = this.open < link.receiveMaximum && link.writable; // [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
    return hasQuota && (this.flight?.bytes ?? 0) <= this.owner.limits.max_queued_bytes;
  }

  /** What counts against the client's receive maximum, or will. */
  private get open(): number {
    const { flight } = this;
    return (this.forGood?.size ?? 0) + (flight === undefined ? 0 : flight.outstanding + flight.unsent.size);
  }

  /** Passes over the identifiers that the client has not acknowledged for a whole round. // [MQTT-4.3.2-1] [MQTT-4.3.3-1] */
  private nextPosition(): number {
    do this.lastPosition++;
    while (this.inFlightCount < packetIds && this.isUnderWay(packetIdOf(this.lastPosition)));
    return this.lastPosition;
  }

  /** Sends what waited, if it still may be. */
  private send(link: Link, delivery: Delivery): void {
    const { message, position } = delivery;
    // Once it was sent it does not expire. // [MQTT-3.3.2-5] [MQTT-4.3.3-7]
    if (message.hasExpired && position > this.lastSent) this.drop(delivery, 'expired');
    else if (!this.owner.mayReceive(message.topic)) this.drop(delivery, 'not_authorized');
    else this.transmit(link, delivery);
  }

  /** Takes a message under way; it leaves now if nothing before it waits, and it need not wait itself. */
  private transmit(link: Link, delivery: Delivery): void {
    const flight = this.take(delivery);
    if (flight.unsent.size > 0 || this.mustWait(delivery)) flight.unsent.add(delivery);
    else this.leave(link, flight, delivery);
  }

  /** Whether nobody will send again what has left, so that it is not kept: the session ends with its connection. */
  private isForGood({ sharedFilter }: Target): boolean {
    return !this.owner.stored && sharedFilter === undefined;
  }

  private mayLeaveTogether(link: Link, message: Message, qos: QoS, target: Target): boolean {
    const { count, size } = message;
    if (this.open + count > link.receiveMaximum || this.inFlightCount + count > packetIds) return false;
    const isReady = this.isReady && this.kept.hasRoom(size);
    return isReady && this.isForGood(target) && link.takesRun(message, qos, target.subscriptionIdentifiers);
  }

  /** Goes on with what was under way on an earlier connection. */
  private resume(link: Link, delivery: Delivery): void {
    if (delivery.state === 'released') return this.release(link, delivery);
    this.flight?.unsent.add(delivery);
    this.sendUnsent(link);
  }

  /** Sends what is under way and has not left on this connection, as far as the client takes it. */
  private sendUnsent(link: Link): void {
    const { flight } = this;
    if (flight === undefined) return;
    for (let next = flight.unsent.first; next !== undefined; next = flight.unsent.first) {
      if (this.open - flight.unsent.size >= link.receiveMaximum || !link.writable || this.mustWait(next)) return;
      const released = next.state === 'released';
      if (!released && !this.kept.hasRoom(next.size)) return;
      if (!released && !this.owner.mayReceive(next.message.topic)) {
        this.abandon(next, 'not_authorized');
        continue;
      }
      flight.unsent.remove(next);
      if (released) this.release(link, next);
      else this.leave(link, flight, next);
    }
  }

  /** PUBREL, which waits for no quota, but until it is durable that the message must not be sent. // [MQTT-3.3.4-10] [MQTT-4.9.0-3] */
  private release(link: Link, delivery: Delivery): void {
    const { flight } = this;
    if (flight === undefined) return;
    if (this.mustWait(delivery)) {
      flight.unsent.add(delivery);
      return;
    }
    flight.outstanding++;
    link.release(delivery.packetId);
  }

  private leave(link: Link, flight: Flight, delivery: Delivery): void {
    const { message, position } = delivery;
    delivery.dup = position <= this.lastSent; // [MQTT-3.3.1-1] [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
    flight.outstanding++;
    if (!link.publish(message, delivery)) return this.abandon(delivery, 'too_large');
    if (!delivery.dup) this.lastSent = position;
    delivery.state = 'sent';
  }

  private abandon(delivery: Delivery, why: DropReason): void {
    this.flight?.remove(delivery);
    this.drop(delivery, why);
  }

  /** Whether it has to be durable first and is not; it will be looked at again when that may have changed. */
  private mustWait({ qos, durableAt }: Delivery): boolean {
    if (qos === 1 || durableAt <= this.store.durable) return false;
    this.untilDurable ??= new UntilDurable(this.store, () => this.goOn());
    this.untilDurable.wait();
    return true;
  }

  /** The message under way by an identifier. */
  private find(packetId: number, qos: QoS): Delivery | undefined {
    const delivery = this.flight?.get(packetId);
    if (delivery !== undefined && delivery.qos !== qos) throw unexpected();
    return delivery;
  }

  private finish(delivery: Delivery): void {
    this.flight?.remove(delivery);
    if (this.owner.stored) this.store.dequeue(this.owner.clientId, delivery.position);
    this.goOn();
  }

  /** There is quota for what waits. */
  private goOn(): void {
    const { link } = this.owner;
    if (link !== undefined && (!this.queue.isEmpty || (this.flight?.unsent.size ?? 0) > 0)) this.drain(link);
  }

  private take(delivery: Delivery): Flight {
    this.flight ??= new Flight(this.kept);
    this.flight.add(delivery);
    return this.flight;
  }

  private isUnderWay(packetId: number): boolean {
    return (this.flight?.has(packetId) ?? false) || (this.forGood?.has(packetId) ?? false);
  }

  private drop(delivery: Delivery, why: DropReason): void {
    this.owner.dropped(1, why);
    this.kept.letGoDelivery(delivery);
    if (this.owner.stored) this.store.dequeue(this.owner.clientId, delivery.position);
  }

  private page(): void {
    if (!this.kept.hasRoom(0)) return; // it is looked at again when there is
    void this.queue.page(
      (delivery) => {
        this.take(delivery);
        if (this.owner.link !== undefined) this.resume(this.owner.link, delivery);
      },
      () => this.goOn(),
    );
  }
}
