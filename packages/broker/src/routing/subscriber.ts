import type { QoS } from '@moat/codec';
import type { Message } from './message.js';

/** Whoever a message can be routed to. Sessions implement it. */
export interface Subscriber {
  readonly clientId: string;
  /** Whether messages of QoS 1 and 2 to it are stored. */
  readonly stored: boolean;
  /** Takes a message that one or more of its subscriptions match. */
  deliver(message: Message, target: Target): void;
  /** Whether a shared subscription should pick it now: a message to it leaves at once. */
  readonly available: boolean;
  /** Whether its right to receive messages of this topic still stands (invariant 4). Asked once per topic and policy. */
  mayReceive(topic: string): boolean;
}

/**
 * What one subscriber gets of a topic: all its matching subscriptions merged into one delivery, with the
 * highest QoS and every subscription identifier. // [MQTT-3.3.4-2]
 */
export interface Target {
  readonly subscriber: Subscriber;
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  /** Undefined for none. */
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /** What it gets of its own messages: undefined for nothing (no local), itself where every subscription wants them. */
  readonly own: Target | undefined;
  /** The shared filter through which it comes: what a leaving member has not acknowledged goes to another. */
  readonly sharedFilter: string | undefined;
}
