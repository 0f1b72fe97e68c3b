import assert from 'node:assert/strict';
import { messageSize } from '../../dist/storage/message-size.js';
import type {
  MessageRecord,
  QueueEntry,
  RestoredSession,
  SessionRecord,
  Store,
  SubscriptionRecord,
} from '../../dist/storage/store.js';

export const session = (clientId: string, fields: Partial<SessionRecord> = {}): SessionRecord => ({
  clientId,
  owner: 'user:anna',
  expiryInterval: 60,
  disconnectedAt: undefined,
  will: undefined,
  sentUpTo: 0,
  ...fields,
});

export const subscription = (filter: string, fields: Partial<SubscriptionRecord> = {}): SubscriptionRecord => ({
  filter,
  qos: 1,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  identifier: 0,
  ...fields,
});

export const message = (topic: string, fields: Partial<MessageRecord> = {}): MessageRecord => ({
  topic,
  payload: Uint8Array.from([1, 2, 3]),
  qos: 1,
  retain: false,
  properties: undefined,
  expiresAt: Number.POSITIVE_INFINITY,
  publisher: undefined,
  ...fields,
});

export const entry = (position: number, fields: Partial<QueueEntry> = {}): QueueEntry => ({
  position,
  message: message('t'),
  qos: 1,
  retain: false,
  subscriptionIdentifiers: undefined,
  sharedFilter: undefined,
  state: 'queued',
  ...fields,
});

/** Everything that a message may hold, at the ends of its ranges. */
export const fullMessage: MessageRecord = message('a/é/\u{1f600}', {
  payload: Uint8Array.from({ length: 256 }, (_, byte) => byte),
  qos: 2,
  retain: true,
  properties: {
    payloadFormatIndicator: 0,
    contentType: '',
    responseTopic: 'answers',
    correlationData: Uint8Array.from([0, 255]),
    userProperties: [
      ['b', '1'],
      ['__proto__', ''],
      ['b', '2'],
    ],
  },
  expiresAt: 4_102_444_800_000,
  publisher: 'somebody',
});

export async function allSessions(store: Store): Promise<Map<string, RestoredSession>> {
  const found = new Map<string, RestoredSession>();
  for await (const some of store.sessions()) for (const each of some) found.set(each.session.clientId, each);
  return found;
}

export async function allRetained(store: Store): Promise<Map<string, MessageRecord>> {
  const found = new Map<string, MessageRecord>();
  for await (const some of store.retained()) {
    const messages = await store.readRetained(some.map(({ topic }) => topic));
    for (const each of messages) found.set(each.topic, plain(each));
    for (const { topic, size, expiresAt } of some) {
      const { payload, properties, expiresAt: expected } = found.get(topic) as MessageRecord;
      assert.deepEqual(
        { size, expiresAt },
        { size: messageSize(topic, payload.length, properties), expiresAt: expected },
      );
    }
  }
  return found;
}

/** Whose the retained messages are, by topic. */
export async function retainedOwners(store: Store): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  for await (const some of store.retained()) for (const { topic, owner } of some) found.set(topic, owner);
  return found;
}

/** With bytes that compare by value, whatever class a store makes them. */
export function plain(record: MessageRecord): MessageRecord {
  const { properties } = record;
  const correlationData = properties?.correlationData;
  return {
    ...record,
    payload: Uint8Array.from(record.payload),
    properties:
      correlationData === undefined ? properties : { ...properties, correlationData: Uint8Array.from(correlationData) },
  };
}
