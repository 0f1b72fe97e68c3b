import { Buffered } from '../../dist/guard/buffered.js';
import { Message } from '../../dist/routing/message.js';
import type { Target } from '../../dist/routing/subscriber.js';
import { KeptMessages } from '../../dist/session/kept-messages.js';
import type { Link, OutgoingPublish } from '../../dist/session/link.js';
import { Outgoing, type OutgoingOwner } from '../../dist/session/outgoing.js';
import type { DropReason, QueueLimits, RestoredQueue } from '../../dist/session/outgoing-queue.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import { session } from '../storage/records.js';

export interface Sent extends OutgoingPublish {
  readonly payload: string;
}

/** The client's end of a link: what it was sent, and whether it reads. */
export class Peer implements Link {
  readonly sent: Sent[] = [];
  readonly released: number[] = [];
  writable = true;
  /** Messages of more bytes do not fit its maximum packet size. */
  largest = Number.POSITIVE_INFINITY;
  /** How many runs it was sent as they came. */
  runs = 0;
  /** How often a message had to wait for acknowledgements. */
  waits = 0;

  constructor(public receiveMaximum = 65_535) {}

  publish(message: Message, options: OutgoingPublish): boolean {
    if (message.payloadLength > this.largest) return false;
    this.sent.push({ ...options, payload: Buffer.from(message.payload).toString() });
    return true;
  }

  takesRun(message: Message): boolean {
    return message.largest <= this.largest;
  }

  publishRun(message: Message, packetIds: readonly number[]): void {
    for (const [index, single] of [...message.each()].entries()) {
      const packetId = packetIds[index] ?? 0;
      this.publish(single, {
        qos: message.qos,
        retain: false,
        dup: false,
        packetId,
        subscriptionIdentifiers: undefined,
      });
    }
    this.runs++;
  }

  quotaMet(): void {
    this.waits++;
  }

  forward(): void {
    throw new Error('QoS 0 does not come this way');
  }

  release(packetId: number): void {
    this.released.push(packetId);
  }

  close(): void {
    throw new Error('nobody closes it');
  }

  /** What it was sent since it was last asked: payload and packet identifier, with ! for DUP. */
  take(): string[] {
    return this.sent.splice(0).map(({ payload, packetId, dup }) => `${payload}@${packetId}${dup ? '!' : ''}`);
  }
}

const elsewhere = 2_000_000_000;
const unlimited: QueueLimits = {
  max_queued_messages: 1_000_000,
  max_queued_bytes: 1_000_000_000,
  queue_full: 'drop_newest',
};

/** A store whose commits take until the next turn of the loop. */
export class SlowStore extends MemoryStore {
  private upTo = 0;

  override get durable(): number {
    return this.upTo;
  }

  override async commit(): Promise<void> {
    const { staged } = this;
    await turn();
    this.upTo = Math.max(this.upTo, staged);
  }
}

/** A queue with its owner: who is connected, what may be received, what was dropped. */
export class Desk implements OutgoingOwner {
  readonly clientId = 'c';
  readonly drops: Record<DropReason, number> = {
    queue_full: 0,
    expired: 0,
    not_authorized: 0,
    too_large: 0,
    not_stored: 0,
  };
  /** What is kept of its messages in memory. */
  readonly buffered = new Buffered({ max_buffered_bytes: 1_000_000_000 });
  private crowded = false;
  link: Peer | undefined = undefined;
  forbidden: string | undefined = undefined;
  readonly limits: QueueLimits;
  readonly outgoing: Outgoing;

  constructor(
    limits: Partial<QueueLimits> = {},
    readonly stored = true,
    readonly store: MemoryStore = new MemoryStore(),
    restored?: RestoredQueue,
  ) {
    if (stored && restored === undefined) store.putSession(session(this.clientId));
    this.limits = { ...unlimited, ...limits };
    this.outgoing = new Outgoing(this, store, new KeptMessages(this.buffered), restored);
  }

  mayReceive(topic: string): boolean {
    return topic !== this.forbidden;
  }

  dropped(count: number, why: DropReason): void {
    this.drops[why] += count;
  }

  attach(peer: Peer): Peer {
    this.link = peer;
    this.outgoing.attach(peer);
    return peer;
  }

  /** Others take all the memory there is, or give it back. */
  crowd(crowded: boolean): void {
    if (crowded === this.crowded) return;
    this.crowded = crowded;
    this.buffered.bytes += crowded ? elsewhere : -elsewhere;
  }

  detach(): void {
    this.link = undefined;
    this.outgoing.detach();
  }

  push(payload: string, qos: 1 | 2 = 1, fields: { topic?: string; expiresAt?: number; target?: Target } = {}): void {
    const { topic = 't', expiresAt = Number.POSITIVE_INFINITY, target = plainTarget } = fields;
    this.outgoing.push(Message.of(topic, Buffer.from(payload), { qos, expiresAt }), qos, false, target);
  }
}

export const plainTarget: Target = {
  subscriber: { clientId: 'c', stored: true, available: true, deliver() {}, mayReceive: () => true },
  qos: 2,
  retainAsPublished: false,
  subscriptionIdentifiers: undefined,
  own: undefined,
  sharedFilter: undefined,
};

/** Lets what the store was asked for arrive. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
