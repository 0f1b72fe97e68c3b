import type { Message } from '../routing/message.js';
import { PacketIdentifiers } from './packet-identifiers.js';

/**
 * The QoS 2 messages of one client that await its PUBREL: each is delivered then, and once (MQTT 5.0 §4.3.3).
 *
 * Invariant: no more than `maximumBytes` are held back. A message beyond that is delivered at once, behind those
 * that were held before it, and only their packet identifiers stay.
 */
export class Incoming {
  /** In order of arrival; undefined once delivered. */
  private readonly held = new PacketIdentifiers<Message | undefined>();
  private bytes = 0;

  constructor(private readonly maximumBytes: number) {}

  /** Packet identifiers in use. */
  get size(): number {
    return this.held.size;
  }

  has(packetId: number): boolean {
    return this.held.has(packetId);
  }

  /** The message that is held back under an identifier; undefined once it was delivered. */
  get(packetId: number): Message | undefined {
    return this.held.get(packetId);
  }

  /** Holds a message back; returns those that are to be delivered already, by packet identifier. */
  hold(packetId: number, message: Message): ReadonlyMap<number, Message> {
    this.held.set(packetId, message);
    if (this.bytes + message.size <= this.maximumBytes) {
      this.bytes += message.size;
      message.keep();
      return none;
    }
    const due = new Map<number, Message>();
    for (const [id, each] of this.held.entries()) if (each !== undefined) due.set(id, each);
    for (const id of due.keys()) this.held.set(id, undefined);
    this.bytes = 0;
    return due;
  }

  /** Takes up what the store held. */
  restore(packetId: number, message: Message | undefined): void {
    this.held.set(packetId, message);
    this.bytes += message?.size ?? 0;
  }

  /** Frees the identifier and hands over its message. Known: {@link has}. */
  release(packetId: number): Message | undefined {
    const message = this.held.get(packetId);
    this.held.delete(packetId);
    this.bytes -= message?.size ?? 0;
    return message;
  }
}

const none: ReadonlyMap<number, Message> = new Map();
