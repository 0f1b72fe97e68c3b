import { createHash } from 'node:crypto';

/**
 * What the one tree of the store holds, by the first byte of the key. Numbers are six bytes, big-endian, so that keys
 * sort as their numbers do.
 *
 * ```
 *   m             the format of the store
 *   b body        a message that several queues hold, in order of arrival
 *   c client      the number of a client's session
 *   d session     a session that was deleted and whose queue is still being cleared away
 *   n body        how many queue entries refer to a body
 *   q session 0   a queue's count, bytes and last position
 *   q session at  the queue entry at a position
 *   r topic       a retained message
 *   s session 0   a session
 *   s session 1 … a subscription, by its filter
 *   s session 2 … a QoS 2 message received, by its packet identifier
 * ```
 */
export const tables = {
  body: 0x62,
  client: 0x63,
  doomed: 0x64,
  format: 0x6d,
  count: 0x6e,
  queue: 0x71,
  retained: 0x72,
  session: 0x73,
} as const;

/** What belongs to a session beside its queue. */
export const part = { record: 0, subscription: 1, received: 2 } as const;

/** The first key of a range and the one behind its last. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/** Longer texts are known by their digest: LMDB's keys end at 1978 bytes, MQTT's strings at 65535. */
const longestText = 256;
/** No UTF-8 begins so, therefore no digest is mistaken for a text. */
const digestMark = 0xff;

export const formatKey: Uint8Array = Uint8Array.of(tables.format);
/** All that there may be in a store. */
export const everything: KeyRange = { start: Uint8Array.of(0), end: Uint8Array.of(0xff) };
export const allBodies: KeyRange = wholeTable(tables.body);
export const allDoomed: KeyRange = wholeTable(tables.doomed);
export const allRetained: KeyRange = wholeTable(tables.retained);
export const allSessions: KeyRange = wholeTable(tables.session);
export const allQueues: KeyRange = wholeTable(tables.queue);

export const bodyKey = (body: number): Uint8Array => numbered(tables.body, body);
export const countKey = (body: number): Uint8Array => numbered(tables.count, body);
export const doomedKey = (session: number): Uint8Array => numbered(tables.doomed, session);
export const clientKey = (clientId: string): Uint8Array => named(Buffer.of(tables.client), clientId);
export const retainedKey = (topic: string): Uint8Array => named(Buffer.of(tables.retained), topic);

export const sessionKey = (session: number): Uint8Array => ofSession(session, part.record);
export const subscriptionKey = (session: number, filter: string): Uint8Array =>
  named(ofSession(session, part.subscription), filter);

export function receivedKey(session: number, packetId: number): Uint8Array {
  const key = Buffer.allocUnsafe(10);
  key.set(ofSession(session, part.received));
  key.writeUInt16BE(packetId, 8);
  return key;
}

export function queueKey(session: number, position: number): Uint8Array {
  const key = Buffer.allocUnsafe(13);
  key[0] = tables.queue;
  key.writeUIntBE(session, 1, 6);
  key.writeUIntBE(position, 7, 6);
  return key;
}

/** The queue's totals stand before its first position. */
export const totalsKey = (session: number): Uint8Array => queueKey(session, 0);
/** The entries of a queue behind a position. */
export const queueBehind = (session: number, position: number): KeyRange => ({
  start: queueKey(session, position + 1),
  end: queueKey(session + 1, 0),
});
/** A session with its subscriptions and received messages. */
export const wholeSession = (session: number): KeyRange => ({
  start: sessionKey(session),
  end: sessionKey(session + 1),
});

/** The number, of a session or a body, in a key that has one. */
export const numberIn = (key: Uint8Array): number => sixBytes(key, 1);
export const positionIn = (key: Uint8Array): number => sixBytes(key, 7);
export const packetIdIn = (key: Uint8Array): number => byteAt(key, 8) * 256 + byteAt(key, 9);
/** Which {@link part} of a session a key is for. */
export const partIn = (key: Uint8Array): number => byteAt(key, 7);
/** The text that a key ends with; undefined where only its digest is there. */
export const textIn = (key: Uint8Array, from: number): string | undefined =>
  key[from] === digestMark ? undefined : Buffer.from(key.subarray(from)).toString();
/** The smallest key that sorts behind this one. */
export const keyBehind = (key: Uint8Array): Uint8Array => Buffer.concat([key, Uint8Array.of(0)]);

function sixBytes(key: Uint8Array, from: number): number {
  let number = 0;
  for (let at = from; at < from + 6; at++) number = number * 256 + byteAt(key, at);
  return number;
}

/** Throws RangeError for a key that is too short. */
function byteAt(key: Uint8Array, at: number): number {
  const byte = key[at];
  if (byte === undefined) throw new RangeError('a key that is too short');
  return byte;
}

function wholeTable(prefix: number): KeyRange {
  return { start: Uint8Array.of(prefix), end: Uint8Array.of(prefix + 1) };
}

function numbered(prefix: number, value: number): Buffer {
  const key = Buffer.allocUnsafe(7);
  key[0] = prefix;
  key.writeUIntBE(value, 1, 6);
  return key;
}

function ofSession(session: number, which: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  key[0] = tables.session;
  key.writeUIntBE(session, 1, 6);
  key[7] = which;
  return key;
}

function named(prefix: Uint8Array, text: string): Uint8Array {
  const bytes = Buffer.from(text);
  if (bytes.length <= longestText) return Buffer.concat([prefix, bytes]);
  return Buffer.concat([prefix, Uint8Array.of(digestMark), createHash('sha256').update(bytes).digest()]);
}
