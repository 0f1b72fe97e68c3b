import type { Message } from '../routing/message.js';

/** A QoS 1 or 2 message on its way to one client. */
export interface Delivery {
  /** Counts up from 1 within the session. The packet identifier follows from it. */
  readonly position: number;
  readonly message: Message;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  readonly sharedFilter: string | undefined;
  /** `queued` not sent, `sent` awaits PUBACK or PUBREC, `released` awaits PUBCOMP. */
  state: 'queued' | 'sent' | 'released';
}

/**
 * The packet identifier of a position: 1 to 65535 in turn, so that none is searched for and a restarted
 * broker comes to the same one.
 */
export function packetIdOf(position: number): number {
  return ((position - 1) % 65_535) + 1;
}

/** A first-in first-out queue whose `shift` does not move the rest. */
export class OutgoingQueue {
  private items: Delivery[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  get first(): Delivery | undefined {
    return this.items[this.head];
  }

  push(delivery: Delivery): void {
    this.items.push(delivery);
  }

  shift(): Delivery | undefined {
    const delivery = this.items[this.head];
    if (delivery === undefined) return undefined;
    this.head++;
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    } else if (this.head > 1_024 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return delivery;
  }

  /** Takes all out. */
  clear(): Delivery[] {
    const rest = this.items.slice(this.head);
    this.items = [];
    this.head = 0;
    return rest;
  }
}
