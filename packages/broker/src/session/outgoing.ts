import type { QoS } from '@moat/codec';
import { Message } from '../routing/message.js';
import type { Target } from '../routing/target.js';
import type { QueueEntry, Store } from '../storage/store.js';
import type { Link } from './link.js';
import { type Delivery, OutgoingQueue, packetIdOf } from './outgoing-queue.js';

/** What bounds a session's queue, and which message goes when it is full. */
export interface QueueLimits {
  readonly max_queued_messages: number;
  readonly max_queued_bytes: number;
  readonly queue_full: 'drop_newest' | 'drop_oldest';
}

/** What the queue asks of its session. */
export interface OutgoingOwner {
  readonly clientId: string;
  /** Whether it outlives its connection, so that its queue belongs into the store. */
  readonly stored: boolean;
  readonly link: Link | undefined;
  mayReceive(topic: string): boolean;
  dropped(count: number, why: 'queue_full' | 'expired' | 'not_authorized' | 'too_large'): void;
}

const pageSize = 256;
/** With fewer messages than this waiting in memory nothing is left to the store alone. */
const window = 1_024;

/**
 * The QoS 1 and 2 messages of one session: what waits, what is in flight, and what only the store holds.
 *
 * ```
 *   push ─> [ store: backlog ] ─page─> [ waiting ] ─quota─> [ in flight ] ─PUBACK / PUBCOMP─> gone
 *                  (positions rise from right to left)
 * ```
 *
 * Invariants: messages leave in the order of their positions (MQTT 5.0 §4.6); at most `receiveMaximum` are
 * unacknowledged; the session's share of count and bytes is bounded; an offline session keeps no queue in memory.
 */
export class Outgoing {
  private readonly waiting = new OutgoingQueue();
  /** By packet identifier, in order of sending. */
  private readonly inFlight = new Map<number, Delivery>();
  /** What a resumed session has to send again, in order. */
  private again: Delivery[] = [];
  private lastPosition: number;
  /** Entries behind `readUpTo` that are in the store and not in memory. */
  private backlog: number;
  private readUpTo = 0;
  private paging = false;
  private queuedBytes: number;
  /** How many more the client takes. */
  private quota = 0;

  constructor(
    private readonly owner: OutgoingOwner,
    private readonly store: Store,
    private readonly limits: QueueLimits,
    restored?: { readonly count: number; readonly bytes: number; readonly lastPosition: number },
  ) {
    this.lastPosition = restored?.lastPosition ?? 0;
    this.backlog = restored?.count ?? 0;
    this.queuedBytes = restored?.bytes ?? 0;
  }

  /** Messages that wait, in memory or in the store. */
  get queued(): number {
    return this.waiting.length + this.backlog;
  }

  get bytes(): number {
    return this.queuedBytes;
  }

  get inFlightCount(): number {
    return this.inFlight.size;
  }

  /** Adds a message and sends what may be sent. */
  push(message: Message, qos: 1 | 2, retain: boolean, target: Target): void {
    const { link, stored } = this.owner;
    if (!this.makeRoom(message.size)) return;
    message.keep();
    const delivery: Delivery = {
      position: ++this.lastPosition,
      message,
      qos,
      retain,
      subscriptionIdentifiers: target.subscriptionIdentifiers,
      sharedFilter: target.sharedFilter,
      state: 'queued',
    };
    this.queuedBytes += message.size;
    if (stored) this.store.enqueue(this.owner.clientId, entryOf(delivery));
    if (stored && (this.backlog > 0 || link === undefined || this.waiting.length >= window)) this.backlog++;
    else this.waiting.push(delivery);
    if (link !== undefined) this.drain(link);
  }

  /** A connection serves the session again: everything unacknowledged is sent once more, in order. // [MQTT-4.4.0-1] */
  attach(link: Link): void {
    this.quota = link.receiveMaximum;
    this.again = [...this.inFlight.values()];
    this.drain(link);
  }

  /** The connection is gone; what waits in memory and is in the store as well need not stay in memory. */
  detach(): void {
    this.again = [];
    if (!this.owner.stored) return;
    const first = this.waiting.first;
    if (first === undefined) return;
    this.readUpTo = first.position - 1;
    this.backlog += this.waiting.clear().length;
  }

  /** Sends as much as the client's quota and the wire allow. */
  drain(link: Link): void {
    while (link.writable && this.again.length > 0) {
      if (!this.sendAgain(link, this.again[0] as Delivery)) return;
      this.again.shift();
    }
    while (link.writable && this.quota > 0) {
      const next = this.waiting.first;
      if (next === undefined) {
        this.page();
        return;
      }
      const packetId = packetIdOf(next.position);
      if (this.inFlight.has(packetId)) return; // [MQTT-2.2.1-4]
      this.waiting.shift();
      this.queuedBytes = Math.max(0, this.queuedBytes - next.message.size);
      this.send(link, next, packetId);
    }
  }

  /** PUBACK, or a PUBREC that refuses: the message is done. False for an identifier that is not in use. */
  acknowledged(packetId: number, qos: QoS): boolean {
    const delivery = this.inFlight.get(packetId);
    if (delivery === undefined || delivery.qos !== qos || delivery.state !== 'sent') return false;
    this.finish(packetId, delivery);
    return true;
  }

  /** PUBREC: from here on only the identifier matters. False for an identifier that is not in use. */
  received(packetId: number): boolean {
    const delivery = this.inFlight.get(packetId);
    if (delivery === undefined || delivery.qos !== 2 || delivery.state === 'queued') return false;
    if (delivery.state === 'sent') {
      delivery.state = 'released'; // [MQTT-4.3.3-5]
      if (this.owner.stored) this.store.release(this.owner.clientId, delivery.position);
    }
    return true;
  }

  /** PUBCOMP. False for an identifier that is not in use. */
  completed(packetId: number): boolean {
    const delivery = this.inFlight.get(packetId);
    if (delivery?.state !== 'released') return false;
    this.finish(packetId, delivery);
    return true;
  }

  /**
   * The session ends: what came through shared subscriptions and may go to another member. A QoS 2 message that
   * was sent may not. // [MQTT-4.8.2-5]
   */
  async leftovers(): Promise<{ message: Message; sharedFilter: string }[]> {
    const left = [...this.inFlight.values()].filter((delivery) => delivery.qos === 1 && delivery.state === 'sent');
    left.push(...this.waiting.clear());
    while (this.backlog > 0) {
      const page = await this.store.readQueue(this.owner.clientId, this.readUpTo, pageSize);
      if (page.length === 0) break;
      this.accept(page, (delivery) => left.push(delivery));
    }
    return left.flatMap(({ message, sharedFilter }) => (sharedFilter === undefined ? [] : [{ message, sharedFilter }]));
  }

  /** True when there is room, after dropping the oldest where that is the rule. */
  private makeRoom(size: number): boolean {
    const { max_queued_messages, max_queued_bytes, queue_full } = this.limits;
    while (this.queued >= max_queued_messages || this.queuedBytes + size > max_queued_bytes) {
      // A message that goes straight out does not queue.
      if (this.queued === 0 && size <= max_queued_bytes) return true;
      if (queue_full === 'drop_newest' || this.queued === 0) {
        this.owner.dropped(1, 'queue_full');
        return false;
      }
      this.dropOldest();
    }
    return true;
  }

  private dropOldest(): void {
    const oldest = this.waiting.shift();
    let position = oldest?.position;
    if (oldest !== undefined) this.queuedBytes -= oldest.message.size;
    else {
      // Its size is known to the store alone: the average keeps the sum right over the whole queue.
      this.queuedBytes -= Math.floor(this.queuedBytes / this.backlog);
      this.backlog--;
      position = ++this.readUpTo;
    }
    if (this.owner.stored && position !== undefined) this.store.dequeue(this.owner.clientId, position);
    this.owner.dropped(1, 'queue_full');
  }

  private send(link: Link, delivery: Delivery, packetId: number): void {
    const { message } = delivery;
    const unwanted =
      message.expiresAt <= Date.now() ? 'expired' : this.owner.mayReceive(message.topic) ? undefined : 'not_authorized';
    if (unwanted !== undefined) {
      this.owner.dropped(1, unwanted); // [MQTT-3.3.2-5]
      if (this.owner.stored) this.store.dequeue(this.owner.clientId, delivery.position);
      return;
    }
    if (!this.publish(link, delivery, packetId, false)) return;
    delivery.state = 'sent';
    this.inFlight.set(packetId, delivery);
    this.quota--; // [MQTT-3.3.4-9]
  }

  private publish(link: Link, delivery: Delivery, packetId: number, dup: boolean): boolean {
    const { qos, retain, subscriptionIdentifiers } = delivery;
    if (link.publish(delivery.message, { qos, retain, dup, packetId, subscriptionIdentifiers })) return true;
    this.owner.dropped(1, 'too_large');
    this.inFlight.delete(packetId);
    if (this.owner.stored) this.store.dequeue(this.owner.clientId, delivery.position);
    return false;
  }

  private sendAgain(link: Link, delivery: Delivery): boolean {
    const packetId = packetIdOf(delivery.position);
    if (this.inFlight.get(packetId) !== delivery) return true;
    if (delivery.state === 'released') {
      link.release(packetId);
      return true;
    }
    if (this.quota <= 0) return false;
    if (!this.owner.mayReceive(delivery.message.topic)) {
      this.owner.dropped(1, 'not_authorized');
      this.inFlight.delete(packetId);
      if (this.owner.stored) this.store.dequeue(this.owner.clientId, delivery.position);
      return true;
    }
    if (this.publish(link, delivery, packetId, true)) this.quota--; // [MQTT-3.3.1-1]
    return true;
  }

  private finish(packetId: number, delivery: Delivery): void {
    this.inFlight.delete(packetId);
    if (this.owner.stored) this.store.dequeue(this.owner.clientId, delivery.position);
    const { link } = this.owner;
    if (link === undefined) return;
    this.quota = Math.min(this.quota + 1, link.receiveMaximum);
    this.drain(link);
  }

  /** Reads the next entries back from the store, then goes on sending. */
  private page(): void {
    if (this.backlog === 0 || this.paging) return;
    this.paging = true;
    this.store.readQueue(this.owner.clientId, this.readUpTo, pageSize).then(
      (entries) => {
        this.paging = false;
        if (entries.length === 0) this.backlog = 0;
        this.accept(entries, (delivery) => this.waiting.push(delivery));
        const { link } = this.owner;
        if (link === undefined) this.detach();
        else this.drain(link);
      },
      () => {
        // The store reports its own trouble; the queue stays where it is and is asked for again at the next drain.
        this.paging = false;
      },
    );
  }

  private accept(entries: readonly QueueEntry[], take: (delivery: Delivery) => void): void {
    for (const entry of entries) {
      this.readUpTo = entry.position;
      this.backlog = Math.max(0, this.backlog - 1);
      const delivery = deliveryOf(entry);
      if (entry.state === 'released') {
        const packetId = packetIdOf(entry.position);
        this.inFlight.set(packetId, delivery);
        this.owner.link?.release(packetId);
      } else take(delivery);
    }
  }
}

function entryOf(delivery: Delivery): QueueEntry {
  return {
    position: delivery.position,
    message: delivery.message.record(),
    qos: delivery.qos,
    retain: delivery.retain,
    subscriptionIdentifiers: delivery.subscriptionIdentifiers,
    sharedFilter: delivery.sharedFilter,
    state: 'queued',
  };
}

function deliveryOf(entry: QueueEntry): Delivery {
  return {
    position: entry.position,
    message: Message.restored(entry.message),
    qos: entry.qos,
    retain: entry.retain,
    subscriptionIdentifiers: entry.subscriptionIdentifiers,
    sharedFilter: entry.sharedFilter,
    state: entry.state === 'released' ? 'released' : 'queued',
  };
}
