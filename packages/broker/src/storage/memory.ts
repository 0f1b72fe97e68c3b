import { messageSize } from './message-size.js';
import type {
  MessageRecord,
  QueueEntry,
  ReceivedRecord,
  RestoredSession,
  RetainedRecord,
  SessionRecord,
  Store,
  SubscriptionRecord,
} from './store.js';

interface Held {
  session: SessionRecord;
  readonly subscriptions: Map<string, SubscriptionRecord>;
  /** In order of position. */
  readonly queue: Map<number, QueueEntry>;
  readonly received: Map<number, ReceivedRecord>;
  lastPosition: number;
}

/** The store of tests and of `storage.engine: memory`: what it holds lives as long as the process. */
export class MemoryStore implements Store {
  private readonly held = new Map<string, Held>();
  private readonly retainedByTopic = new Map<string, { message: MessageRecord; owner: string | undefined }>();
  staged = 0;

  /** Nothing outlives the process, so nothing is waited for. */
  get durable(): number {
    return this.staged;
  }

  get failure(): Error | undefined {
    return undefined;
  }

  watch(_changed: (failure: Error | undefined) => void): void {}

  commit(): Promise<void> {
    return Promise.resolve();
  }

  putSession(session: SessionRecord): void {
    this.staged++;
    const held = this.held.get(session.clientId);
    if (held !== undefined) held.session = session;
    else {
      const fresh = {
        session,
        subscriptions: new Map(),
        queue: new Map(),
        received: new Map(),
        lastPosition: 0,
      };
      this.held.set(session.clientId, fresh);
    }
  }

  deleteSession(clientId: string): void {
    this.staged++;
    this.held.delete(clientId);
  }

  putSubscription(clientId: string, subscription: SubscriptionRecord): void {
    this.staged++;
    this.held.get(clientId)?.subscriptions.set(subscription.filter, subscription);
  }

  deleteSubscription(clientId: string, filter: string): void {
    this.staged++;
    this.held.get(clientId)?.subscriptions.delete(filter);
  }

  enqueue(clientId: string, entry: QueueEntry): void {
    this.staged++;
    const held = this.held.get(clientId);
    if (held === undefined) return;
    held.queue.set(entry.position, entry);
    held.lastPosition = Math.max(held.lastPosition, entry.position);
  }

  release(clientId: string, position: number): void {
    this.staged++;
    const queue = this.held.get(clientId)?.queue;
    const entry = queue?.get(position);
    if (entry !== undefined) queue?.set(position, { ...entry, state: 'released' });
  }

  dequeue(clientId: string, position: number): void {
    this.staged++;
    this.held.get(clientId)?.queue.delete(position);
  }

  dequeueFirst(clientId: string, after: number): Promise<number> {
    this.staged++;
    const queue = this.held.get(clientId)?.queue;
    for (const [position, { message, state }] of queue ?? []) {
      if (position <= after) continue;
      queue?.delete(position);
      return Promise.resolve(state === 'queued' ? sizeOf(message) : 0);
    }
    return Promise.resolve(0);
  }

  readQueue(clientId: string, after: number, limit: number): Promise<readonly QueueEntry[]> {
    const entries: QueueEntry[] = [];
    for (const entry of this.held.get(clientId)?.queue.values() ?? []) {
      if (entries.length === limit) break;
      if (entry.position > after) entries.push(entry);
    }
    return Promise.resolve(entries);
  }

  putReceived(clientId: string, received: ReceivedRecord): void {
    this.staged++;
    this.held.get(clientId)?.received.set(received.packetId, received);
  }

  deleteReceived(clientId: string, packetId: number): void {
    this.staged++;
    this.held.get(clientId)?.received.delete(packetId);
  }

  readRetained(topics: readonly string[]): Promise<readonly MessageRecord[]> {
    return Promise.resolve(
      topics.flatMap((topic) => {
        const held = this.retainedByTopic.get(topic);
        return held === undefined ? [] : [held.message];
      }),
    );
  }

  putRetained(message: MessageRecord, owner: string | undefined): void {
    this.staged++;
    this.retainedByTopic.set(message.topic, { message, owner });
  }

  deleteRetained(topic: string): void {
    this.staged++;
    this.retainedByTopic.delete(topic);
  }

  async *sessions(): AsyncIterable<readonly RestoredSession[]> {
    yield [...this.held.values()].map(restored);
  }

  async *retained(): AsyncIterable<readonly RetainedRecord[]> {
    yield [...this.retainedByTopic.values()].map(({ message, owner }) => ({
      topic: message.topic,
      owner,
      size: sizeOf(message),
      expiresAt: message.expiresAt,
    }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function restored({ session, subscriptions, queue, received, lastPosition }: Held): RestoredSession {
  const bytes = [...queue.values()].reduce((sum, { message }) => sum + sizeOf(message), 0);
  return {
    session,
    subscriptions: [...subscriptions.values()],
    received: [...received.values()],
    queue: { count: queue.size, bytes, lastPosition },
  };
}

function sizeOf({ topic, payload, properties }: MessageRecord): number {
  return messageSize(topic, payload.length, properties);
}
