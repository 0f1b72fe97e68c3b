import { isSharedFilter, type QoS } from '@moat/codec';
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

/** Where the subscriptions with one filter stand in the tree. There may be millions, and each is one object. */
export interface Place {
  /** As the clients sent it, `$share/…` included; put together when it is asked for. */
  readonly filter: string;
  subscriptionOf(subscriber: Subscriber): Subscription | undefined;
}

/** Bytes that a subscription takes, as good as never more: its options and who has it, its text, and an object for each level. */
export function bytesOf(filter: string): number {
  let levels = 1;
  for (let at = filter.indexOf('/'); at >= 0; at = filter.indexOf('/', at + 1)) levels++;
  return 64 + 2 * filter.length + 96 * levels + (isSharedFilter(filter) ? 384 : 0);
}

/** {@link SubscriptionOptions} in one number: laid out as in SUBSCRIBE, the identifier before them. */
export type PackedOptions = number;

const qosMask = 0b11;
const noLocalBit = 0b100;
const retainAsPublishedBit = 0b1000;
const retainHandlingShift = 4;
/** Identifiers have 28 bits: together with these they are more than bitwise operators can do. */
const optionsEnd = 0b100_0000;

export function packOptions(options: SubscriptionOptions): PackedOptions {
  const bits =
    options.qos |
    (options.noLocal ? noLocalBit : 0) |
    (options.retainAsPublished ? retainAsPublishedBit : 0) |
    (options.retainHandling << retainHandlingShift);
  return options.identifier * optionsEnd + bits;
}

/** One subscriber's subscription to one topic filter, as the tree had it when it was asked for. */
export class Subscription implements SubscriptionOptions {
  constructor(
    readonly subscriber: Subscriber,
    readonly place: Place,
    private readonly packed: PackedOptions,
  ) {}

  get filter(): string {
    return this.place.filter;
  }

  get qos(): QoS {
    return (this.packed & qosMask) as QoS;
  }

  get noLocal(): boolean {
    return (this.packed & noLocalBit) !== 0;
  }

  get retainAsPublished(): boolean {
    return (this.packed & retainAsPublishedBit) !== 0;
  }

  get retainHandling(): 0 | 1 | 2 {
    return ((this.packed % optionsEnd) >> retainHandlingShift) as 0 | 1 | 2;
  }

  get identifier(): number {
    return Math.floor(this.packed / optionsEnd);
  }
}
