import type { Message } from './message.js';
import type { Target } from './target.js';

/** Whoever a message can be routed to. Sessions implement it. */
export interface Subscriber {
  readonly clientId: string;
  /** Takes a message that one or more of its subscriptions match. */
  deliver(message: Message, target: Target): void;
  /** Whether a shared subscription may pick it now: it is connected and reads. */
  readonly available: boolean;
  /** Whether its right to receive messages of this topic still stands (invariant 4). Asked once per topic and policy. */
  mayReceive(topic: string): boolean;
}
