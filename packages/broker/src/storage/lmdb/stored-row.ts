import { Unpackr } from 'msgpackr';
import { numberIn, part, partIn, positionIn, tables, textIn } from './keys.js';
import type { RawRow } from './raw-rows.js';
import type { StoredTotals } from './reader.js';
import type { StoredEntry, StoredMessage, StoredSession } from './records.js';

/** What a row is, once it was found to be what it should. */
export type StoredRow =
  | { readonly kind: 'format'; readonly version: number }
  | { readonly kind: 'body'; readonly body: number; readonly message: StoredMessage }
  | { readonly kind: 'count'; readonly body: number; readonly count: number }
  | { readonly kind: 'client'; readonly session: number; readonly clientId: string | undefined }
  | { readonly kind: 'doomed'; readonly session: number }
  | { readonly kind: 'totals'; readonly session: number; readonly totals: StoredTotals }
  | { readonly kind: 'entry'; readonly session: number; readonly position: number; readonly entry: StoredEntry }
  | { readonly kind: 'retained'; readonly topic: string }
  | { readonly kind: 'session'; readonly session: number; readonly record: StoredSession }
  | {
      readonly kind: 'subscription' | 'received';
      readonly session: number /** Filter or topic. */;
      readonly about: string;
    };

const unpackr = new Unpackr({ useRecords: false });

/** Reads a row; undefined when its key or its value is not of this store. */
export function storedRow({ key, value }: RawRow): StoredRow | undefined {
  try {
    return rowOf(key, unpackr.unpack(value));
  } catch {
    return undefined; // bytes that are no value, or a key that is too short
  }
}

function rowOf(key: Buffer, value: unknown): StoredRow | undefined {
  switch (key[0]) {
    case tables.format:
      return isArray(value) && value[0] === 'moat' && isNumber(value[1])
        ? { kind: 'format', version: value[1] }
        : undefined;
    case tables.body:
      return isMessage(value) ? { kind: 'body', body: numberIn(key), message: value } : undefined;
    case tables.count:
      return isNumber(value) ? { kind: 'count', body: numberIn(key), count: value } : undefined;
    case tables.client:
      return isNumber(value) ? { kind: 'client', session: value, clientId: textIn(key, 1) } : undefined;
    case tables.doomed:
      return { kind: 'doomed', session: numberIn(key) };
    case tables.queue:
      return ofQueue(numberIn(key), positionIn(key), value);
    case tables.retained:
      return isMessage(value) ? { kind: 'retained', topic: value[0] } : undefined;
    case tables.session:
      return ofSession(numberIn(key), partIn(key), value);
    default:
      return undefined;
  }
}

function ofQueue(session: number, position: number, value: unknown): StoredRow | undefined {
  if (!isArray(value)) return undefined;
  if (position > 0) return isEntry(value) ? { kind: 'entry', session, position, entry: value } : undefined;
  return value.length === 3 && value.every(isNumber)
    ? { kind: 'totals', session, totals: value as unknown as StoredTotals }
    : undefined;
}

function ofSession(session: number, which: number, value: unknown): StoredRow | undefined {
  if (!isArray(value)) return undefined;
  const [first, second, third] = value;
  if (which === part.record)
    return typeof first === 'string' && typeof second === 'string' && isNumber(third)
      ? { kind: 'session', session, record: value as unknown as StoredSession }
      : undefined;
  if (which === part.subscription)
    return typeof first === 'string' && isNumber(second) ? { kind: 'subscription', session, about: first } : undefined;
  return which === part.received && (first == null || isMessage(first))
    ? { kind: 'received', session, about: first?.[0] ?? '' }
    : undefined;
}

function isEntry(value: readonly unknown[]): value is StoredEntry {
  const [flags, size, body] = value;
  return isNumber(flags) && isNumber(size) && (body == null || isNumber(body) || isMessage(body));
}

function isMessage(value: unknown): value is StoredMessage {
  if (!isArray(value)) return false;
  const [topic, payload, flags, expiresAt] = value;
  return typeof topic === 'string' && payload instanceof Uint8Array && isNumber(flags) && isNumber(expiresAt);
}

function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
