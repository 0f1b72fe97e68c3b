import { mostKeptAWhile } from '../routing/kept-bytes.js';
import type { Message } from '../routing/message.js';
import type { KeptMessages } from './kept-messages.js';
import { PacketIdentifiers } from './packet-identifiers.js';

/**
 * The QoS 2 messages of one client that await its PUBREL: each is delivered then, and once (MQTT 5.0 §4.3.3).
 *
 * Invariant: no more than `maximumBytes` are held back, and none without memory for it. A message beyond that is
 * delivered at once, behind those that were held before it, and only their packet identifiers stay.
 */
export class Incoming {
  /** In order of arrival; undefined once delivered. */
  private readonly held = new PacketIdentifiers<Message | undefined>();
  private bytes = 0;

  constructor(
    private readonly maximumBytes: number,
    private readonly kept: KeptMessages,
  ) {}

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
    const { size } = message;
    if (this.bytes + size <= this.maximumBytes && this.kept.hasRoom(size)) {
      this.bytes += size;
      if (this.held.size > mostKeptAWhile) message.keep();
      else message.keepAWhile();
      this.kept.keep(message, size);
      return none;
    }
    const due = new Map<number, Message>();
    for (const [id, each] of this.held.entries()) if (each !== undefined) due.set(id, each);
    for (const [id, each] of due) {
      if (each !== message) this.kept.letGo(each, each.size);
      this.held.set(id, undefined);
    }
    this.bytes = 0;
    return due;
  }

  /** Takes up what the store held. */
  restore(packetId: number, message: Message | undefined): void {
    this.held.set(packetId, message);
    if (message === undefined) return;
    this.bytes += message.size;
    this.kept.keep(message, message.size);
  }

  /** Frees the identifier and hands over its message. Known: {@link has}. */
  release(packetId: number): Message | undefined {
    const message = this.held.get(packetId);
    this.held.delete(packetId);
    if (message !== undefined) {
      this.bytes -= message.size;
      this.kept.letGo(message, message.size);
    }
    return message;
  }

  /** The session has ended: nothing is held for it. */
  end(): void {
    for (const [, message] of this.held.entries()) if (message !== undefined) this.kept.letGo(message, message.size);
  }
}

const none: ReadonlyMap<number, Message> = new Map();
