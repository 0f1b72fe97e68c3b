import type { LoadClient } from './client.js';
import { publishPacket, type QoS } from './packets.js';
import type { Subscriber } from './subscriber.js';

/** What a publisher sends, and how much of it may be on its way at once. */
export interface PublisherPlan {
  /** Taken in turn; all of the same length. */
  readonly topics: readonly string[];
  readonly qos: QoS;
  readonly payloadBytes: number;
  /** Messages that may be sent and not yet delivered to every subscriber (and acknowledged, for QoS 1 and 2). */
  readonly window: number;
}

/** A ring no smaller than this keeps an identifier out of use for a while, should a broker acknowledge out of order. */
const fewestSlots = 1024;

/**
 * Sends from a ring of packets made beforehand, as many in one write as the ring holds in one piece:
 *
 *     | 1 | 2 | 3 | ... | slots |     slot n carries packet identifier n
 *           ^ next
 *
 * There are at least as many slots as the window has messages: the bytes of a slot are no longer in use when its turn comes.
 */
export class Publisher {
  readonly #client: LoadClient;
  readonly #subscribers: readonly Subscriber[];
  readonly #index: number;
  readonly #plan: PublisherPlan;
  readonly #ring: Buffer;
  readonly #view: DataView;
  readonly #slots: number;
  readonly #packetBytes: number;
  #next = 0;
  #sent = 0;
  #acknowledged = 0;

  /** `index` is this publisher's number, by which `subscribers` tell its messages from those of others. */
  constructor(client: LoadClient, index: number, plan: PublisherPlan, subscribers: readonly Subscriber[]) {
    this.#client = client;
    this.#index = index;
    this.#plan = plan;
    this.#subscribers = subscribers;
    this.#slots = Math.max(plan.window, fewestSlots);
    const packets = Array.from({ length: this.#slots }, (_, slot) =>
      publishPacket(plan.topics[slot % plan.topics.length] ?? '', plan.qos, slot + 1, plan.payloadBytes, index),
    );
    this.#ring = Buffer.concat(packets);
    this.#view = new DataView(this.#ring.buffer, this.#ring.byteOffset, this.#ring.length);
    this.#packetBytes = this.#ring.length / this.#slots;
  }

  get sent(): number {
    return this.#sent;
  }

  get subscriberCount(): number {
    return this.#subscribers.length;
  }

  /** Messages that every subscriber has and, for QoS 1 and 2, the broker has acknowledged. */
  get complete(): number {
    let complete = this.#plan.qos === 0 ? this.#sent : this.#acknowledged;
    for (const subscriber of this.#subscribers) complete = Math.min(complete, subscriber.receivedFrom(this.#index));
    return complete;
  }

  /** How many messages may be sent now. */
  get room(): number {
    return this.#plan.window - (this.#sent - this.complete);
  }

  /** When the message of a packet identifier was sent; known until its slot's turn comes again. */
  sentAt(packetId: number): number {
    return this.#view.getFloat64(packetId * this.#packetBytes - 8);
  }

  onAcknowledged(): void {
    this.#acknowledged++;
  }

  /** Sends `count` messages, at most {@link room}, stamped with `now`. */
  send(count: number, now: number): void {
    this.#sent += count;
    let left = count;
    while (left > 0) {
      const slots = Math.min(left, this.#slots - this.#next);
      const from = this.#next * this.#packetBytes;
      const to = from + slots * this.#packetBytes;
      for (let end = from + this.#packetBytes; end <= to; end += this.#packetBytes) this.#view.setFloat64(end - 8, now);
      this.#client.write(this.#ring.subarray(from, to));
      this.#next = (this.#next + slots) % this.#slots;
      left -= slots;
    }
  }
}
