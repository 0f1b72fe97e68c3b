import type { MessageRecord, QueueEntry, ReceivedRecord, RestoredSession } from '../store.js';
import {
  allRetained,
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
  type StoredSession,
  type StoredSubscription,
  unpackEntry,
  unpackMessage,
  unpackSession,
  unpackSubscription,
} from './records.js';
import { page, type Row, read, rows, type Tree } from './tree.js';

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

/** Every session, one at a time. */
export function* readSessions(tree: Tree): Generator<RestoredSession> {
  let rowsOfOne: Row[] = [];
  for (const row of rows(tree, allSessions)) {
    if (partIn(row.key) === part.record && rowsOfOne.length > 0) {
      yield restore(tree, rowsOfOne);
      rowsOfOne = [];
    }
    rowsOfOne.push(row);
  }
  if (rowsOfOne.length > 0) yield restore(tree, rowsOfOne);
}

/** The retained messages of those topics that have one. */
export function readRetainedOf(tree: Tree, topics: readonly string[]): MessageRecord[] {
  return topics.flatMap((topic) => {
    const stored = read<StoredMessage>(tree, retainedKey(topic));
    return stored === undefined ? [] : [unpackMessage(stored)];
  });
}

/** Every retained message, one at a time. */
export function* readRetained(tree: Tree): Generator<MessageRecord> {
  for (const { value } of rows(tree, allRetained)) yield unpackMessage(value as StoredMessage);
}

function restore(tree: Tree, [record, ...parts]: readonly Row[]): RestoredSession {
  const { key, value } = record as Row;
  const of = (which: number): Row[] => parts.filter((row) => partIn(row.key) === which);
  const [count, bytes, lastPosition] = read<StoredTotals>(tree, totalsKey(numberIn(key))) ?? [0, 0, 0];
  return {
    session: unpackSession(value as StoredSession),
    subscriptions: of(part.subscription).map((row) => unpackSubscription(row.value as StoredSubscription)),
    received: of(part.received).map(restoreReceived),
    queue: { count, bytes, lastPosition },
  };
}

function restoreReceived({ key, value }: Row): ReceivedRecord {
  const [message] = value as readonly [StoredMessage | undefined];
  return { packetId: packetIdIn(key), message: message && unpackMessage(message) };
}
