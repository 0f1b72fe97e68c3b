import type { PublishProperties, QoS, UserProperty, Will, WillProperties } from '@moat/codec';
import { messageSize } from '../message-size.js';
import type { MessageRecord, QueueEntry, SessionRecord, SubscriptionRecord } from '../store.js';

// Records are kept as arrays: what a field is called is written once, here, and not with every message.

type Optional<T> = T | undefined;

type StoredProperties = readonly [
  payloadFormatIndicator: Optional<number>,
  contentType: Optional<string>,
  responseTopic: Optional<string>,
  correlationData: Optional<Uint8Array>,
  userProperties: Optional<readonly UserProperty[]>,
  messageExpiryInterval?: Optional<number>,
  willDelayInterval?: Optional<number>,
];

export type StoredMessage = readonly [
  topic: string,
  payload: Uint8Array,
  /** QoS, and 4 where it is retained. */
  flags: number,
  /** 0 for never. */
  expiresAt: number,
  publisher: Optional<string>,
  properties: Optional<StoredProperties>,
];

export type StoredRetained = readonly [
  topic: string,
  payload: Uint8Array,
  flags: number,
  expiresAt: number,
  publisher: Optional<string>,
  /** Key of the principal that published it. */
  owner: Optional<string>,
  properties: Optional<StoredProperties>,
];

export type StoredEntry = readonly [
  /** QoS, 4 for retain, 8 for released. */
  flags: number,
  /** What it counts for in its queue. */
  size: number,
  /** The message itself, the number of a body that several entries share, or nothing once it was released. */
  body: StoredMessage | number | undefined,
  subscriptionIdentifiers?: Optional<readonly number[]>,
  sharedFilter?: Optional<string>,
];

export type StoredSession = readonly [
  clientId: string,
  owner: string,
  expiryInterval: number,
  disconnectedAt: Optional<number>,
  sentUpTo: number,
  will: Optional<readonly [topic: string, payload: Uint8Array, flags: number, Optional<StoredProperties>]>,
];

export type StoredSubscription = readonly [filter: string, flags: number, identifier: number];

const retainFlag = 4;
const releasedFlag = 8;
const noLocalFlag = 4;
const retainAsPublishedFlag = 8;
const retainHandlingShift = 4;

const gone: MessageRecord = {
  topic: '',
  payload: new Uint8Array(0),
  qos: 2,
  retain: false,
  properties: undefined,
  expiresAt: Number.POSITIVE_INFINITY,
  publisher: undefined,
};

export function packMessage(message: MessageRecord): StoredMessage {
  const { topic, payload, qos, retain, properties, expiresAt, publisher } = message;
  const flags = qos | (retain ? retainFlag : 0);
  const expiry = expiresAt === Number.POSITIVE_INFINITY ? 0 : expiresAt;
  return [topic, payload, flags, expiry, publisher, properties && packProperties(properties)];
}

export function unpackMessage([topic, payload, flags, expiry, publisher, stored]: StoredMessage): MessageRecord {
  const expiresAt = expiry === 0 ? Number.POSITIVE_INFINITY : expiry;
  const properties = stored && unpackProperties(stored);
  return { topic, payload, qos: qosOf(flags), retain: (flags & retainFlag) !== 0, properties, expiresAt, publisher };
}

export function packRetained(message: MessageRecord, owner: string | undefined): StoredRetained {
  const [topic, payload, flags, expiresAt, publisher, properties] = packMessage(message);
  return [topic, payload, flags, expiresAt, publisher, owner, properties];
}

export function unpackRetained(stored: StoredRetained): MessageRecord {
  const [topic, payload, flags, expiresAt, publisher, , properties] = stored;
  return unpackMessage([topic, payload, flags, expiresAt, publisher, properties]);
}

/** What a message counts for. */
const sizeOf = ({ topic, payload, properties }: MessageRecord): number =>
  messageSize(topic, payload.length, properties);

export function packEntry(entry: QueueEntry, body: StoredMessage | number): StoredEntry {
  const { qos, retain, state, message, subscriptionIdentifiers, sharedFilter } = entry;
  const flags = qos | (retain ? retainFlag : 0) | (state === 'released' ? releasedFlag : 0);
  if (subscriptionIdentifiers === undefined && sharedFilter === undefined) return [flags, sizeOf(message), body];
  return [flags, sizeOf(message), body, subscriptionIdentifiers, sharedFilter];
}

/** The entry when the receiver has the message: only its place and its identifier are left. */
export function releasedEntry([flags, , , ...origin]: StoredEntry): StoredEntry {
  return [flags | releasedFlag, 0, undefined, ...origin];
}

export function unpackEntry(position: number, stored: StoredEntry, message: MessageRecord = gone): QueueEntry {
  const [flags, , , subscriptionIdentifiers, sharedFilter] = stored;
  return {
    position,
    message,
    qos: (flags & 1) === 1 ? 1 : 2,
    retain: (flags & retainFlag) !== 0,
    subscriptionIdentifiers,
    sharedFilter,
    state: (flags & releasedFlag) === 0 ? 'queued' : 'released',
  };
}

export function packSession(session: SessionRecord): StoredSession {
  const { clientId, owner, expiryInterval, disconnectedAt, sentUpTo, will } = session;
  return [clientId, owner, expiryInterval, disconnectedAt, sentUpTo, will && packWill(will)];
}

export function unpackSession(stored: StoredSession): SessionRecord {
  const [clientId, owner, expiryInterval, disconnectedAt, sentUpTo, will] = stored;
  return { clientId, owner, expiryInterval, disconnectedAt, will: will && unpackWill(will), sentUpTo };
}

export function packSubscription(subscription: SubscriptionRecord): StoredSubscription {
  const { filter, qos, noLocal, retainAsPublished, retainHandling, identifier } = subscription;
  const flags = qos | (noLocal ? noLocalFlag : 0) | (retainAsPublished ? retainAsPublishedFlag : 0);
  return [filter, flags | (retainHandling << retainHandlingShift), identifier];
}

export function unpackSubscription([filter, flags, identifier]: StoredSubscription): SubscriptionRecord {
  return {
    filter,
    qos: qosOf(flags),
    noLocal: (flags & noLocalFlag) !== 0,
    retainAsPublished: (flags & retainAsPublishedFlag) !== 0,
    retainHandling: (flags >> retainHandlingShift) as 0 | 1 | 2,
    identifier,
  };
}

function packWill({ topic, payload, qos, retain, properties }: Will): StoredSession[5] {
  return [topic, payload, qos | (retain ? retainFlag : 0), properties && packProperties(properties)];
}

function unpackWill([topic, payload, flags, properties]: NonNullable<StoredSession[5]>): Will {
  const will: Will = { topic, payload, qos: qosOf(flags), retain: (flags & retainFlag) !== 0 };
  if (properties !== undefined) will.properties = unpackProperties(properties);
  return will;
}

function packProperties(properties: PublishProperties & WillProperties): StoredProperties {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  const { messageExpiryInterval, willDelayInterval } = properties;
  const common = [payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties] as const;
  if (messageExpiryInterval === undefined && willDelayInterval === undefined) return common;
  return [...common, messageExpiryInterval, willDelayInterval];
}

/** Only what was sent is there: a property that is absent is no property. */
function unpackProperties(stored: StoredProperties): WillProperties {
  const [payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties] = stored;
  const [, , , , , messageExpiryInterval, willDelayInterval] = stored;
  return {
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(userProperties === undefined ? {} : { userProperties }),
    ...(messageExpiryInterval === undefined ? {} : { messageExpiryInterval }),
    ...(willDelayInterval === undefined ? {} : { willDelayInterval }),
  };
}

function qosOf(flags: number): QoS {
  return (flags & 3) as QoS;
}
