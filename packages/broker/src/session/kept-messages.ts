import type { Buffered } from '../guard/buffered.js';
import type { Message } from '../routing/message.js';
import type { Delivery } from './delivery.js';

/** Bytes that keeping a message costs besides the message. */
const perKeeper = 128;
/** Bytes that a packet identifier takes that is looked up by itself: up to four slots of three numbers. */
const perIdentifier = 96;

/** The messages that sessions keep in memory: each counts once, and a little for each session that keeps it. */
export class KeptMessages {
  constructor(private readonly buffered: Buffered) {}

  hasRoom(size: number): boolean {
    return this.buffered.hasRoom(size + perKeeper);
  }

  keep(message: Message, size: number): void {
    this.buffered.bytes += (message.keepers++ === 0 ? size : 0) + perKeeper;
  }

  letGo(message: Message, size: number): void {
    this.buffered.bytes -= (--message.keepers === 0 ? size : 0) + perKeeper;
  }

  /** Packet identifiers whose messages are not kept. */
  keepIdentifiers(count: number): void {
    this.buffered.bytes += count * perIdentifier;
  }

  letGoIdentifiers(count: number): void {
    this.buffered.bytes -= count * perIdentifier;
  }

  /** Counts a delivery once, whichever way it comes into memory. */
  keepDelivery(delivery: Delivery): void {
    if (delivery.isKept) return;
    delivery.isKept = true;
    this.keep(delivery.message, delivery.size);
  }

  letGoDelivery(delivery: Delivery): void {
    if (!delivery.isKept) return;
    delivery.isKept = false;
    this.letGo(delivery.message, delivery.size);
  }
}
