import type { QueueEntry, ReceivedRecord, SessionRecord, SubscriptionRecord } from '../store.js';
import {
  allDoomed,
  bodyKey,
  clientKey,
  countKey,
  doomedKey,
  numberIn,
  positionIn,
  queueBehind,
  queueKey,
  receivedKey,
  sessionKey,
  subscriptionKey,
  totalsKey,
  wholeSession,
} from './keys.js';
import type { StoredTotals } from './reader.js';
import { packEntry, packMessage, packSession, packSubscription, releasedEntry, type StoredEntry } from './records.js';
import { page, read, rows, type Tree } from './tree.js';

/** What goes on from one transaction to the next. */
export interface Progress {
  /** The numbers that were given last. */
  session: number;
  body: number;
  /** Whether queues of deleted sessions are still to be cleared away. */
  clearing: boolean;
}

/** A message that was staged for one queue or more. */
export interface Body {
  /** How many of the entries that are staged hold it. */
  holders: number;
}

interface Held {
  readonly number: number;
  count: number;
  bytes: number;
  lastPosition: number;
  changed: boolean;
}

/** So many rows of deleted sessions go with each transaction: nobody waits long for a long queue to vanish. */
const clearedAtOnce = 1_000;

/**
 * One write transaction: the operations of a batch in their order, each seeing what those before it did.
 * Totals and references are gathered, and written once each by {@link finish}.
 */
export class Transaction {
  private readonly sessions = new Map<string, Held | undefined>();
  /** The numbers of those messages that are stored apart from their entries. */
  private readonly numbers = new Map<Body, number>();
  /** By how much the references to a body have changed. */
  private readonly references = new Map<number, number>();

  constructor(
    readonly tree: Tree,
    private readonly progress: Progress,
  ) {}

  putSession(session: SessionRecord): void {
    const { clientId } = session;
    let held = this.held(clientId);
    if (held === undefined) {
      held = { number: ++this.progress.session, count: 0, bytes: 0, lastPosition: 0, changed: false };
      this.sessions.set(clientId, held);
      this.tree.putSync(clientKey(clientId), held.number);
    }
    this.tree.putSync(sessionKey(held.number), packSession(session));
  }

  deleteSession(clientId: string): void {
    const held = this.held(clientId);
    if (held === undefined) return;
    this.tree.removeSync(clientKey(clientId));
    for (const { key } of rows(this.tree, wholeSession(held.number))) this.tree.removeSync(key);
    this.sessions.set(clientId, undefined);
    if (held.lastPosition === 0) return;
    this.tree.putSync(doomedKey(held.number), true);
    this.progress.clearing = true;
  }

  putSubscription(clientId: string, subscription: SubscriptionRecord): void {
    const held = this.held(clientId);
    if (held === undefined) return;
    this.tree.putSync(subscriptionKey(held.number, subscription.filter), packSubscription(subscription));
  }

  deleteSubscription(clientId: string, filter: string): void {
    const held = this.held(clientId);
    if (held !== undefined) this.tree.removeSync(subscriptionKey(held.number, filter));
  }

  enqueue(clientId: string, entry: QueueEntry, body: Body): void {
    const held = this.held(clientId);
    if (held === undefined) return;
    this.pass(held, entry.position);
    const stored = packEntry(entry, body.holders === 1 ? packMessage(entry.message) : this.share(entry, body));
    this.tree.putSync(queueKey(held.number, entry.position), stored);
    held.count++;
    held.bytes += stored[1];
  }

  /** An entry that came and went before it was written: its position is used up all the same. */
  skip(clientId: string, position: number): void {
    const held = this.held(clientId);
    if (held !== undefined) this.pass(held, position);
  }

  release(clientId: string, position: number): void {
    const held = this.held(clientId);
    if (held === undefined) return;
    const key = queueKey(held.number, position);
    const stored = read<StoredEntry>(this.tree, key);
    if (stored === undefined) return;
    this.unrefer(stored);
    held.bytes -= stored[1];
    held.changed = true;
    this.tree.putSync(key, releasedEntry(stored));
  }

  dequeue(clientId: string, position: number): void {
    const held = this.held(clientId);
    if (held !== undefined) this.remove(held, position);
  }

  /** Returns what the entry counted for; 0 where there was none. */
  dequeueFirst(clientId: string, after: number): number {
    const held = this.held(clientId);
    if (held === undefined) return 0;
    const before = held.bytes;
    const [first] = page(this.tree, queueBehind(held.number, after), 1);
    if (first !== undefined) this.remove(held, positionIn(first.key));
    return before - held.bytes;
  }

  putReceived(clientId: string, { packetId, message }: ReceivedRecord): void {
    const held = this.held(clientId);
    if (held === undefined) return;
    this.tree.putSync(receivedKey(held.number, packetId), [message && packMessage(message)]);
  }

  deleteReceived(clientId: string, packetId: number): void {
    const held = this.held(clientId);
    if (held !== undefined) this.tree.removeSync(receivedKey(held.number, packetId));
  }

  /** Clears away some of what deleted sessions left, and writes what was gathered. */
  finish(): void {
    this.clear();
    for (const held of this.sessions.values()) {
      if (!held?.changed) continue;
      const totals: StoredTotals = [held.count, held.bytes, held.lastPosition];
      this.tree.putSync(totalsKey(held.number), totals);
    }
    for (const [body, change] of this.references) {
      const count = (read<number>(this.tree, countKey(body)) ?? 0) + change;
      if (count > 0) {
        if (change !== 0) this.tree.putSync(countKey(body), count);
        continue;
      }
      this.tree.removeSync(countKey(body));
      this.tree.removeSync(bodyKey(body));
    }
  }

  private held(clientId: string): Held | undefined {
    const known = this.sessions.get(clientId);
    if (known !== undefined || this.sessions.has(clientId)) return known;
    const number = read<number>(this.tree, clientKey(clientId));
    let held: Held | undefined;
    if (number !== undefined) {
      const [count, bytes, lastPosition] = read<StoredTotals>(this.tree, totalsKey(number)) ?? [0, 0, 0];
      held = { number, count, bytes, lastPosition, changed: false };
    }
    this.sessions.set(clientId, held);
    return held;
  }

  /** Positions rise; one that comes again replaces what was there. */
  private pass(held: Held, position: number): void {
    if (position <= held.lastPosition) this.remove(held, position);
    else held.lastPosition = position;
    held.changed = true;
  }

  private remove(held: Held, position: number): void {
    const key = queueKey(held.number, position);
    const stored = read<StoredEntry>(this.tree, key);
    if (stored === undefined) return;
    this.tree.removeSync(key);
    this.unrefer(stored);
    held.count--;
    held.bytes -= stored[1];
    held.changed = true;
  }

  /** The number of a body that several entries hold, which the first of them stores. */
  private share({ message }: QueueEntry, body: Body): number {
    let number = this.numbers.get(body);
    if (number === undefined) {
      number = ++this.progress.body;
      this.numbers.set(body, number);
      this.tree.putSync(bodyKey(number), packMessage(message));
    }
    this.references.set(number, (this.references.get(number) ?? 0) + 1);
    return number;
  }

  private unrefer([, , body]: StoredEntry): void {
    if (typeof body === 'number') this.references.set(body, (this.references.get(body) ?? 0) - 1);
  }

  private clear(): void {
    let left = clearedAtOnce;
    while (this.progress.clearing && left > 0) {
      const [doomed] = page(this.tree, allDoomed, 1);
      if (doomed === undefined) {
        this.progress.clearing = false;
        return;
      }
      const session = numberIn(doomed.key);
      const entries = page(this.tree, queueBehind(session, 0), left);
      for (const { key, value } of entries) {
        this.tree.removeSync(key);
        this.unrefer(value as StoredEntry);
      }
      left -= entries.length;
      if (left === 0) return;
      this.tree.removeSync(totalsKey(session));
      this.tree.removeSync(doomed.key);
    }
  }
}
