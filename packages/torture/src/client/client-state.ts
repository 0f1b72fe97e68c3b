import type { ClientEvent, Sending } from '../record/event.js';

/** A message that is under way to the broker. */
export interface UnderWay extends Sending {
  /** Whether PUBREC came: from then on only PUBREL is sent. */
  received: boolean;
}

const packetIds = 65_535;

/** What a client knows, by the events of its record alone: so it knows the same after it was killed. */
export class ClientState {
  /** Messages under way by packet identifier, in the order in which they were first sent. */
  readonly underWay = new Map<number, UnderWay>();
  /** Packet identifiers of QoS 2 messages that await PUBREL. */
  readonly unreleased = new Set<number>();
  /** What it asked for last, and whether that was acknowledged by the session that it has. */
  readonly filters = new Map<string, 'unsure' | 'subscribed' | 'unsubscribed'>();
  /** Numbers that were given last. */
  message = 0;
  attempt = 0;
  /** Whether it has asked for a clean start and does not know yet whether it was heard. */
  renewing = false;
  private lastId = 0;

  apply(event: ClientEvent): void {
    switch (event.e) {
      case 'connecting':
        this.attempt++;
        this.renewing = event.clean;
        return;
      case 'connected':
        this.renewing = false;
        if (!event.present) this.forget();
        return;
      case 'sending':
        this.message = event.n;
        if (event.qos === 0) return;
        this.lastId = event.id;
        this.underWay.set(event.id, { ...event, received: false });
        return;
      case 'received':
        for (const message of this.underWay.values()) if (message.n === event.n) message.received = true;
        return;
      case 'done':
      case 'refused':
        for (const [id, { n }] of this.underWay) if (n === event.n) this.underWay.delete(id);
        return;
      case 'arrived':
        if (event.qos === 2) this.unreleased.add(event.id);
        return;
      case 'released':
        this.unreleased.delete(event.id);
        return;
      case 'subscribing':
      case 'unsubscribing':
        this.filters.set(event.filter, 'unsure');
        return;
      case 'subscribed':
      case 'unsubscribed':
        this.filters.set(event.filter, event.e);
    }
  }

  /** A packet identifier that is not in use. */
  nextId(): number {
    do this.lastId = (this.lastId % packetIds) + 1;
    while (this.underWay.has(this.lastId));
    return this.lastId;
  }

  /** The broker has no session of it: what belonged to one is void. */
  private forget(): void {
    this.underWay.clear();
    this.unreleased.clear();
    this.filters.clear();
  }
}
