import type { QoS } from '@moat/codec';
import type { Subscriber } from './subscriber.js';

/** The options of one topic filter (MQTT 5.0 §3.8.3.1) with its subscription identifier. */
export interface SubscriptionOptions {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  /** 0 for none. */
  readonly identifier: number;
}

const qosMask = 0b11;
const noLocalBit = 0b100;
const retainAsPublishedBit = 0b1000;

/** One subscriber's subscription to one topic filter. There may be millions: it is kept small. */
export class Subscription implements SubscriptionOptions {
  /** The options, laid out as in SUBSCRIBE. */
  private bits = 0;
  identifier = 0;
  /** Where its owner keeps it, so that removing one does not search. */
  index = -1;

  constructor(
    readonly subscriber: Subscriber,
    /** As the client sent it, `$share/…` included. */
    readonly filter: string,
    options: SubscriptionOptions,
  ) {
    this.change(options);
  }

  /** Replaces the options by those of a later SUBSCRIBE with the same filter. */
  change(options: SubscriptionOptions): void {
    this.bits =
      options.qos |
      (options.noLocal ? noLocalBit : 0) |
      (options.retainAsPublished ? retainAsPublishedBit : 0) |
      (options.retainHandling << 4);
    this.identifier = options.identifier;
  }

  get qos(): QoS {
    return (this.bits & qosMask) as QoS;
  }

  get noLocal(): boolean {
    return (this.bits & noLocalBit) !== 0;
  }

  get retainAsPublished(): boolean {
    return (this.bits & retainAsPublishedBit) !== 0;
  }

  get retainHandling(): 0 | 1 | 2 {
    return (this.bits >> 4) as 0 | 1 | 2;
  }
}
