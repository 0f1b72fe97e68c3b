import type { PublishProperties, QoS, Will } from '@moat/codec';
import type { Maintenance } from './maintenance.js';

/** A session that outlives its connection, without its queue. Times are wall-clock milliseconds. */
export interface SessionRecord {
  readonly clientId: string;
  /** Key of the principal that made it (invariant 3). */
  readonly owner: string;
  /** Seconds that it lives without a connection; 0xFFFFFFFF for ever. */
  readonly expiryInterval: number;
  /** When its connection ended; undefined while it is connected, or when the broker stopped without ending it. */
  readonly disconnectedAt: number | undefined;
  /** The will that is still to be published, its delay after the end of the connection. */
  readonly will: Will | undefined;
  /** Positions of its queue up to this one were sent before the connection ended. */
  readonly sentUpTo: number;
}

export interface SubscriptionRecord {
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  readonly identifier: number;
}

/** A message as it is kept: its body is stored once however many queues hold it. */
export interface MessageRecord {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: PublishProperties | undefined;
  /** Infinity when it does not expire. */
  readonly expiresAt: number;
  readonly publisher: string | undefined;
}

/** What memory holds of a retained message. */
export interface RetainedRecord {
  readonly topic: string;
  /** Key of the principal that published it; undefined where a store of format 1 did not say. */
  readonly owner: string | undefined;
  /** What it counts for, in bytes. */
  readonly size: number;
  /** Infinity when it does not expire. */
  readonly expiresAt: number;
}

/**
 * How far a queued message has got.
 * `queued` it waits; `released` the receiver has it and only PUBREL and PUBCOMP are missing (QoS 2).
 */
type QueueState = 'queued' | 'released';

/** One place in a session's queue. */
export interface QueueEntry {
  /** Counts up from 1 within a session; the packet identifier follows from it. */
  readonly position: number;
  readonly message: MessageRecord;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /** The shared filter through which it came. */
  readonly sharedFilter: string | undefined;
  readonly state: QueueState;
}

/** A QoS 2 message of the client that awaits PUBREL. */
export interface ReceivedRecord {
  readonly packetId: number;
  /** Undefined when it was delivered already and only the identifier matters. */
  readonly message: MessageRecord | undefined;
}

/** Everything of one session, as the broker starts from it. */
export interface RestoredSession {
  readonly session: SessionRecord;
  readonly subscriptions: readonly SubscriptionRecord[];
  /** QoS 2 messages that were received and not yet released. */
  readonly received: readonly ReceivedRecord[];
  readonly queue: { readonly count: number; readonly bytes: number; readonly lastPosition: number };
}

/**
 * Where the state lives that outlives a connection. Writes are staged in order, without waiting, and become durable
 * together by {@link commit}: many connections share one. Whoever must not answer before his effect is durable
 * looks whether {@link staged} has moved and awaits the commit.
 *
 * Invariants, for every engine: what is staged in one turn commits as a whole or not at all; reads see what was
 * staged; after a failed commit nothing staged since the last good one is acknowledged.
 */
export interface Store {
  /** Counts the operations staged since the store was opened. */
  readonly staged: number;
  /** How many of those, from the first on, are durable. */
  readonly durable: number;
  /**
   * Why the last attempt to make something durable failed, until one succeeds. Meanwhile whoever can refuse what would
   * have to be stored does so before anything is staged; what cannot be refused is bounded by what there is.
   */
  readonly failure: Error | undefined;
  /** Has `changed` called whenever {@link failure} comes and goes. */
  watch(changed: (failure: Error | undefined) => void): void;
  /** Resolves when all that was staged so far is durable; rejects when it cannot be. */
  commit(): Promise<void>;

  putSession(session: SessionRecord): void;
  /** Removes a session with its subscriptions, queue and received identifiers. */
  deleteSession(clientId: string): void;
  putSubscription(clientId: string, subscription: SubscriptionRecord): void;
  deleteSubscription(clientId: string, filter: string): void;

  enqueue(clientId: string, entry: QueueEntry): void;
  /** The receiver has a QoS 2 message: its body may go, its identifier stays until {@link dequeue}. */
  release(clientId: string, position: number): void;
  dequeue(clientId: string, position: number): void;
  /** Removes the first entry behind position `after`, whichever that is; resolves with what it counted for, in bytes. */
  dequeueFirst(clientId: string, after: number): Promise<number>;
  /** Up to `limit` entries behind position `after`, in order, as they are when it is called. */
  readQueue(clientId: string, after: number, limit: number): Promise<readonly QueueEntry[]>;

  putReceived(clientId: string, received: ReceivedRecord): void;
  deleteReceived(clientId: string, packetId: number): void;

  /** The retained messages of those topics that have one, in any order. */
  readRetained(topics: readonly string[]): Promise<readonly MessageRecord[]>;
  /** Keeps a message in place of what its topic has; `owner` is the key of the principal that published it. */
  putRetained(message: MessageRecord, owner: string | undefined): void;
  deleteRetained(topic: string): void;

  /** All sessions, some at a time, for the start. What is staged is to become durable first, here and below, or they reject. */
  sessions(): AsyncIterable<readonly RestoredSession[]>;
  /** All retained messages, some at a time, for the start. */
  retained(): AsyncIterable<readonly RetainedRecord[]>;
  /** Looking after it; undefined where nothing is kept. */
  readonly maintenance?: Maintenance;
  close(): Promise<void>;
}
