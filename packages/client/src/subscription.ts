import { type ClientError, ClosedError } from './errors.js';
import type { Message, QoS, UserProperties } from './message.js';
import { topicMatches } from './topic.js';

/** The subscription options and properties of MQTT 5.0 (§3.8); earlier versions know the QoS only. */
export interface SubscribeOptions {
  /** The highest QoS to receive with; default 0. */
  readonly qos?: QoS;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly retainHandling?: 0 | 1 | 2;
  readonly properties?: { readonly subscriptionIdentifier?: number; readonly userProperties?: UserProperties };
  /** Called with each message, in place of iterating. */
  readonly onMessage?: (message: Message) => void;
}

/** What a subscription asks of the client that made it. */
export interface SubscriptionOwner {
  /** Messages were taken: reading from the network may go on. */
  drained(): void;
  leave(subscription: Subscription): Promise<void>;
}

interface Reader {
  resolve(result: IteratorResult<Message, undefined>): void;
  reject(error: Error): void;
}

/** Messages kept for a reader that lags; beyond it the client stops reading from the network. */
const highWaterMark = 1000;

/**
 * Messages that match one of some filters: iterate over them with `for await`, or pass a callback to `subscribe` instead.
 * A loop that falls behind slows the broker down rather than filling memory. The loop ends after `unsubscribe()`
 * or `close()`, and throws the client's error when the connection is lost for good.
 */
export class Subscription implements AsyncIterable<Message> {
  readonly filters: readonly string[];
  /** The QoS that the broker granted each filter, in the same order. */
  grantedQoS: readonly QoS[] = [];
  readonly #owner: SubscriptionOwner;
  readonly #onMessage: ((message: Message) => void) | undefined;
  readonly #queue: Message[] = [];
  readonly #readers: Reader[] = [];
  #ended = false;
  #error: ClientError | undefined;

  constructor(filters: readonly string[], owner: SubscriptionOwner, onMessage?: (message: Message) => void) {
    this.filters = filters;
    this.#owner = owner;
    this.#onMessage = onMessage;
  }

  get isFull(): boolean {
    return this.#queue.length >= highWaterMark;
  }

  /** Takes a message of the connection, if it matches. */
  offer(message: Message): boolean {
    if (this.#ended || !this.filters.some((filter) => topicMatches(filter, message.topic))) return false;
    const reader = this.#readers.shift();
    if (this.#onMessage) this.#onMessage(message);
    else if (reader) reader.resolve({ done: false, value: message });
    else this.#queue.push(message);
    return true;
  }

  /** No more messages will come; those that are queued can still be read. */
  end(error?: ClientError): void {
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) {
      if (error) reader.reject(error);
      else reader.resolve({ done: true, value: undefined });
    }
  }

  /** Resolves when the broker has acknowledged it. */
  async unsubscribe(): Promise<void> {
    if (this.#ended) return;
    this.end();
    await this.#owner.leave(this);
  }

  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this.unsubscribe();
        return { done: true, value: undefined };
      },
    };
  }

  #next(): Promise<IteratorResult<Message, undefined>> {
    const value = this.#queue.shift();
    if (value) {
      if (!this.isFull) this.#owner.drained();
      return Promise.resolve({ done: false, value });
    }
    if (this.#error) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#onMessage)
      return Promise.reject(new ClosedError('this subscription has a callback; do not iterate over it'));
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }
}
