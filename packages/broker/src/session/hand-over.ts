import type { Message } from '../routing/message.js';
import type { Delivery } from './delivery.js';
import type { Link } from './link.js';
import type { OutgoingQueue } from './outgoing-queue.js';

/** Gives a message that a member of a shared subscription has not had to another; false when there is none. */
export type Give = (message: Message, sharedFilter: string) => boolean;

/** The messages of a session whose client is away, unless it comes back. */
interface Left {
  readonly owner: { readonly link: Link | undefined };
  readonly queue: OutgoingQueue;
  /** The last that there is, and the last that was sent. */
  readonly position: number;
  readonly sentUpTo: number;
  drain(link: Link): void;
}

/**
 * Offers what only the store has, page by page. Resolves with the position up to which all was offered; stops when the
 * client is back. Rejects when the store fails.
 */
export async function offerAll(left: Left, give: Give): Promise<number> {
  const { owner, queue } = left;
  for (let offered = 0; ; ) {
    const upTo = left.position;
    const last = await queue.offer(
      offered,
      (delivery) => owner.link === undefined && offer(delivery, left.sentUpTo, give),
    );
    const { link } = owner;
    if (link !== undefined) left.drain(link);
    if (last === undefined || link !== undefined) return upTo;
    offered = last;
  }
}

/** A QoS 2 message that was sent may not go to another member. */
export function offer({ message, sharedFilter, qos, position }: Delivery, sentUpTo: number, give: Give): boolean {
  return sharedFilter !== undefined && (qos === 1 || position > sentUpTo) && give(message, sharedFilter);
}
