import type { Delivery } from './delivery.js';
import type { KeptMessages } from './kept-messages.js';
import { PacketIdentifiers } from './packet-identifiers.js';
import { WaitingLine } from './waiting-line.js';

/** The QoS 1 and 2 messages that are under way to a client: they have a packet identifier, and most have left. */
export class Flight {
  /** In order of sending. */
  private readonly underWay = new PacketIdentifiers<Delivery>();
  /** Of those, in order, what has yet to leave: again for a resumed session, or once it is durable. */
  readonly unsent = new WaitingLine();
  /** How many of the others count against the client's receive maximum. */
  outstanding = 0;
  bytes = 0;

  constructor(private readonly kept: KeptMessages) {}

  get size(): number {
    return this.underWay.size;
  }

  has(packetId: number): boolean {
    return this.underWay.has(packetId);
  }

  get(packetId: number): Delivery | undefined {
    return this.underWay.get(packetId);
  }

  /** The oldest first. */
  all(): Delivery[] {
    return this.underWay.all();
  }

  add(delivery: Delivery): void {
    this.underWay.set(delivery.packetId, delivery);
    this.bytes += delivery.size;
    this.kept.keepDelivery(delivery);
  }

  remove(delivery: Delivery): void {
    this.underWay.delete(delivery.packetId);
    this.bytes -= delivery.size;
    this.kept.letGoDelivery(delivery);
    if (!this.unsent.remove(delivery)) this.outstanding--;
  }

  /** Nothing of it has left on the connection that begins, or that has ended. */
  restart(): void {
    this.outstanding = 0;
    this.unsent.clear();
  }
}
