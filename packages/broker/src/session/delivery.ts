import { CodecError, ReasonCode } from '@moat/codec';
import { Message } from '../routing/message.js';
import type { Target } from '../routing/subscriber.js';
import type { QueueEntry } from '../storage/store.js';
import type { OutgoingPublish } from './link.js';

/** A QoS 1 or 2 message on its way to one client. */
export interface Delivery extends OutgoingPublish {
  /** Counts up from 1 within the session. */
  readonly position: number;
  /** As it follows from the position: see {@link packetIdOf}. */
  readonly packetId: number;
  readonly message: Message;
  /** That of the message, which is not looked at again when it is acknowledged. */
  readonly size: number;
  readonly qos: 1 | 2;
  /** Whether it was sent before, on another connection or by the broker before a restart. */
  dup: boolean;
  readonly sharedFilter: string | undefined;
  /** `queued` not sent, `sent` awaits PUBACK or PUBREC, `released` awaits PUBCOMP. */
  state: 'queued' | 'sent' | 'released';
  /** Durable when that many operations of the store are. */
  durableAt: number;
  /** Whether it is under way and has yet to leave. */
  inLine: boolean;
  /** Whether it counts among what is kept in memory. */
  isKept: boolean;
}

/**
 * The packet identifier of a position: 1 to 65535 in turn, so that none is searched for and a restarted
 * broker comes to the same one.
 */
export function packetIdOf(position: number): number {
  return ((position - 1) % 65_535) + 1;
}

export function newDelivery(
  position: number,
  message: Message,
  qos: 1 | 2,
  retain: boolean,
  { subscriptionIdentifiers, sharedFilter }: Pick<Target, 'subscriptionIdentifiers' | 'sharedFilter'>,
): Delivery {
  return {
    position,
    packetId: packetIdOf(position),
    message,
    size: message.size,
    qos,
    retain,
    dup: false,
    subscriptionIdentifiers,
    sharedFilter,
    state: 'queued',
    durableAt: 0,
    inLine: false,
    isKept: false,
  };
}

/** What the store keeps of one that was not sent yet; its message has bytes of its own. */
export function entryOf(delivery: Delivery): QueueEntry {
  const { position, message, qos, retain, subscriptionIdentifiers, sharedFilter } = delivery;
  return { position, message, qos, retain, subscriptionIdentifiers, sharedFilter, state: 'queued' };
}

/** Up to `limit` of those that are kept behind a position. Only for a session that the store does not have. */
export function entriesBehind(deliveries: readonly Delivery[], position: number, limit: number): QueueEntry[] {
  return deliveries
    .filter((each) => each.position > position)
    .slice(0, limit)
    .map((each) => ({ ...entryOf(each), state: each.state === 'released' ? 'released' : 'queued' }));
}

/** What was read back from the store, when so many operations had been staged. */
export function deliveryOf(entry: QueueEntry, staged: number): Delivery {
  const { position, qos, retain, state } = entry;
  const delivery = newDelivery(position, Message.restored(entry.message), qos, retain, entry);
  delivery.state = state;
  delivery.durableAt = staged;
  return delivery;
}

export function unexpected(): CodecError {
  return new CodecError(ReasonCode.protocolError, 'an acknowledgement that does not belong to its QoS');
}
