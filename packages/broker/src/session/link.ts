import type { QoS, ReasonCode } from '@moat/codec';
import type { Message } from '../routing/message.js';

/** One PUBLISH as it leaves for a client. */
export interface OutgoingPublish {
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 for QoS 0. */
  readonly packetId: number;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
}

/** What a session needs of the connection that serves it. */
export interface Link {
  /** QoS 1 and 2 messages that the client takes at once (MQTT 5.0 §3.1.2.11.3). */
  readonly receiveMaximum: number;
  /** Told when a message has to wait because so many are unacknowledged. */
  quotaMet(): void;
  /** Whether the client reads: false above the high-water mark, until {@link Session.drain} is called again. */
  readonly writable: boolean;
  /** Sends; false when the packet is larger than the client takes, so that it counts as delivered. // [MQTT-3.1.2-25] */
  publish(message: Message, options: OutgoingPublish): boolean;
  /** The hot path of {@link publish}: QoS 0, no retain flag, no subscription identifiers. */
  forward(message: Message): void;
  /** Whether it can send the messages of a run of QoS 1 or 2 as they came. */
  takesRun(message: Message, qos: QoS, subscriptionIdentifiers: readonly number[] | undefined): boolean;
  /** Sends them, each with a packet identifier of its own. */
  publishRun(message: Message, packetIds: readonly number[]): void;
  /** Sends PUBREL. */
  release(packetId: number): void;
  /** Tells the client why (5.0) and closes. */
  close(reasonCode: ReasonCode, reason: string): void;
}
