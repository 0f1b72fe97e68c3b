import type { RawRow } from './raw-rows.js';
import { type StoredRow, storedRow } from './stored-row.js';

/** How much of each kind a store holds. */
export interface StoreCounts {
  sessions: number;
  subscriptions: number;
  /** QoS 2 messages that await PUBREL. */
  received: number;
  queued: number;
  retained: number;
}

interface Queue {
  count: number;
  bytes: number;
  last: number;
}

/** What a pass over all rows of a store finds: what is there, and what does not fit together. */
export class Inventory {
  readonly counts: StoreCounts = { sessions: 0, subscriptions: 0, received: 0, queued: 0, retained: 0 };
  /** Client identifiers by the number of their session. */
  readonly clients = new Map<number, string>();
  /** The same by the rows that find a session by its client ID, whether the session is there or not. */
  readonly named = new Map<number, string | undefined>();
  readonly doomed = new Set<number>();
  readonly bodies = new Set<number>();
  /** By session: the totals as they are stored. */
  readonly totals = new Map<number, Queue>();
  /** By session: what its queue really holds. */
  readonly queues = new Map<number, Queue>();
  /** By body: how many entries refer to it. */
  readonly references = new Map<number, number>();
  format: number | undefined = undefined;
  /** Rows that are not of this store, or whose value makes no sense. */
  strange = 0;
  private readonly storedReferences = new Map<number, number>();
  private readonly owners = new Map<number, number>();

  /** Undefined where nothing tells it. */
  clientOf(session: number): string | undefined {
    return this.clients.get(session) ?? this.named.get(session);
  }

  add(raw: RawRow): void {
    const row = storedRow(raw);
    if (row === undefined) this.strange++;
    else this.count(row);
  }

  /** What does not fit together, in words; nothing when all does. */
  *faults(): Generator<string> {
    if (this.strange > 0) yield `${this.strange} rows make no sense`;
    if (this.format === undefined) yield 'the format of the store is not told';
    for (const [body, count] of this.references)
      if (!this.bodies.has(body)) yield `a message that ${count} queue entries refer to is missing`;
    for (const body of this.bodies) {
      const [count = 0, stored = 0] = [this.references.get(body), this.storedReferences.get(body)];
      if (count !== stored || count === 0) yield `a message that ${count} queue entries refer to counts ${stored}`;
    }
    for (const session of this.owners.keys())
      if (!this.clients.has(session)) yield `the record of a session with ${this.owners.get(session)} rows is missing`;
    for (const [session, client] of this.clients)
      if (!this.named.has(session)) yield `the session of ${JSON.stringify(client)} cannot be found by its client ID`;
    yield* this.queueFaults();
  }

  private *queueFaults(): Generator<string> {
    for (const [session, { count, bytes, last }] of this.queues) {
      if (this.doomed.has(session)) continue;
      const client = this.clients.get(session);
      if (client === undefined) yield `the session of a queue of ${count} messages is missing`;
      const stored = this.totals.get(session);
      if (stored?.count !== count || stored.bytes !== bytes || stored.last < last)
        yield `the queue of ${JSON.stringify(client)} holds ${count} messages, and counts ${stored?.count ?? 'none'}`;
    }
    for (const [session, { count }] of this.totals)
      if (count > 0 && !this.queues.has(session) && !this.doomed.has(session))
        yield `the queue of ${JSON.stringify(this.clients.get(session))} is empty, and counts ${count}`;
  }

  private count(row: StoredRow): void {
    switch (row.kind) {
      case 'format':
        this.format = row.version;
        return;
      case 'body':
        this.bodies.add(row.body);
        return;
      case 'count':
        this.storedReferences.set(row.body, row.count);
        return;
      case 'client':
        this.named.set(row.session, row.clientId);
        return;
      case 'doomed':
        this.doomed.add(row.session);
        return;
      case 'totals': {
        const [count, bytes, last] = row.totals;
        this.totals.set(row.session, { count, bytes, last });
        return;
      }
      case 'entry':
        this.enqueue(row);
        return;
      case 'retained':
        this.counts.retained++;
        return;
      case 'session':
        this.counts.sessions++;
        this.clients.set(row.session, row.record[0]);
        return;
      default:
        this.counts[row.kind === 'received' ? 'received' : 'subscriptions']++;
        this.owners.set(row.session, (this.owners.get(row.session) ?? 0) + 1);
    }
  }

  private enqueue({ session, position, entry: [, size, body] }: StoredRow & { kind: 'entry' }): void {
    const queue = this.queues.get(session) ?? { count: 0, bytes: 0, last: 0 };
    this.queues.set(session, queue);
    queue.count++;
    queue.bytes += size;
    queue.last = Math.max(queue.last, position);
    if (!this.doomed.has(session)) this.counts.queued++;
    if (typeof body === 'number') this.references.set(body, (this.references.get(body) ?? 0) + 1);
  }
}
