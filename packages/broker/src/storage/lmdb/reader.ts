import type { MessageRecord, QueueEntry, ReceivedRecord, RestoredSession, SubscriptionRecord } from '../store.js';
import {
  allSessions,
  bodyKey,
  clientKey,
  numberIn,
  packetIdIn,
  part,
  partIn,
  positionIn,
  queueBehind,
  retainedKey,
  totalsKey,
} from './keys.js';
import {
  type StoredEntry,
  type StoredMessage,
  type StoredRetained,
  type StoredSession,
  type StoredSubscription,
  unpackEntry,
  unpackMessage,
  unpackRetained,
  unpackSession,
  unpackSubscription,
} from './records.js';
import { page, pages, read, type Tree } from './tree.js';

/** A queue's count, bytes and last position. */
export type StoredTotals = readonly [count: number, bytes: number, lastPosition: number];

/** Up to `limit` entries of a client's queue behind position `after`. */
export function readQueue(tree: Tree, clientId: string, after: number, limit: number): QueueEntry[] {
  const session = read<number>(tree, clientKey(clientId));
  if (session === undefined || limit <= 0) return [];
  return page(tree, queueBehind(session, after), limit).map(({ key, value }) => {
    const stored = value as StoredEntry;
    const body = typeof stored[2] === 'number' ? read<StoredMessage>(tree, bodyKey(stored[2])) : stored[2];
    return unpackEntry(positionIn(key), stored, body && unpackMessage(body));
  });
}

/** Every session, some at a time. */
export function* readSessions(tree: Tree): Generator<RestoredSession[]> {
  let last: Restoring | undefined;
  for (const rows of pages(tree, allSessions)) {
    const whole: RestoredSession[] = [];
    for (const { key, value } of rows) {
      if (partIn(key) === part.record) {
        if (last !== undefined) whole.push(last);
        last = begun(tree, key, value as StoredSession);
      } else if (partIn(key) === part.subscription)
        last?.subscriptions.push(unpackSubscription(value as StoredSubscription));
      else last?.received.push(unpackReceived(packetIdIn(key), value as StoredReceived));
    }
    yield whole;
  }
  if (last !== undefined) yield [last];
}

/** The retained messages of those topics that have one. */
export function readRetainedOf(tree: Tree, topics: readonly string[]): MessageRecord[] {
  return topics.flatMap((topic) => {
    const stored = read<StoredRetained>(tree, retainedKey(topic));
    return stored === undefined ? [] : [unpackRetained(stored)];
  });
}

/** A session whose parts are still being read. */
interface Restoring extends RestoredSession {
  readonly subscriptions: SubscriptionRecord[];
  readonly received: ReceivedRecord[];
}

function begun(tree: Tree, key: Uint8Array, stored: StoredSession): Restoring {
  const [count, bytes, lastPosition] = read<StoredTotals>(tree, totalsKey(numberIn(key))) ?? [0, 0, 0];
  return { session: unpackSession(stored), subscriptions: [], received: [], queue: { count, bytes, lastPosition } };
}

type StoredReceived = readonly [StoredMessage | undefined];

function unpackReceived(packetId: number, [message]: StoredReceived): ReceivedRecord {
  return { packetId, message: message && unpackMessage(message) };
}
