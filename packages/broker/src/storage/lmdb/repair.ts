import { existsSync, readdirSync } from 'node:fs';
import { asBinary } from 'lmdb';
import { OperatorError } from '../../errors.js';
import { fileOf, takeInventory } from './check.js';
import type { Inventory, StoreCounts } from './inventory.js';
import { bodyKey, clientKey, countKey, formatKey, totalsKey } from './keys.js';
import { Losses, unreadableInWords } from './losses.js';
import { createTree } from './open.js';
import { PageFile } from './page-file.js';
import { type RawRow, RawRows } from './raw-rows.js';
import type { StoredTotals } from './reader.js';
import type { StoredEntry } from './records.js';
import { type StoredRow, storedRow } from './stored-row.js';
import type { Tree } from './tree.js';
import { storeFormat } from './tree-files.js';

/** What became of a store. */
export interface RepairReport {
  readonly kept: StoreCounts;
  /** What could not be read or lost what it belongs to, in words; nothing when all was kept. */
  readonly lost: readonly string[];
}

const rowsInATransaction = 10_000;

/**
 * Writes all that can be read of a store, damaged or not, into a new one in `target`, where nothing may be yet. The
 * old one is not changed. Totals and references are made anew; whatever belongs to nothing any more is left out.
 * @throws OperatorError `store.in_use`; `data_dir.unusable`; `store.damaged` when nothing of it can be read;
 * `store.newer` when this broker does not know its format
 */
export async function repairStore(
  directory: string,
  target: string,
  progress: (rows: number) => void = () => {},
): Promise<RepairReport> {
  const file = await fileOf(directory);
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new OperatorError('data_dir.unusable', `${target} is not empty`, { hint: 'name a directory that is' });
  const pages = PageFile.open(file);
  if (typeof pages === 'string')
    throw new OperatorError('store.damaged', `nothing of ${file} can be read: ${pages}`, { hint: 'restore a backup' });
  try {
    const { inventory, rows } = takeInventory(pages, progress);
    if (inventory.format !== undefined && inventory.format !== storeFormat) {
      const message = `the store has format ${inventory.format}, and this repairs ${storeFormat}`;
      throw new OperatorError('store.newer', message, {
        hint: 'start a broker on it, which brings it to its format, or use the one that wrote it',
      });
    }
    const tree = createTree(target);
    const writer = new Rewriter(tree, inventory);
    try {
      await writer.write(new RawRows(pages).all());
    } finally {
      await tree.close();
    }
    const { problem } = pages.head;
    const last = problem === undefined ? [] : [`what the last commit wrote, perhaps: ${problem}`];
    const clientOf = (session: number): string | undefined => inventory.clientOf(session);
    const unreadable = rows.unreadable.map((each) => unreadableInWords(each, clientOf));
    const lost = [...last, ...unreadable, ...writer.lost()];
    return { kept: writer.kept, lost };
  } finally {
    pages.close();
  }
}

/** Writes those rows of a store that still belong to something. */
class Rewriter {
  readonly kept: StoreCounts = { sessions: 0, subscriptions: 0, received: 0, queued: 0, retained: 0 };
  private readonly losses = new Losses();
  private readonly totals = new Map<number, { count: number; bytes: number; last: number }>();
  private readonly references = new Map<number, number>();

  constructor(
    private readonly tree: Tree,
    private readonly inventory: Inventory,
  ) {}

  async write(rows: Iterable<RawRow>): Promise<void> {
    let some: RawRow[] = [];
    for (const row of rows) {
      some.push(row);
      if (some.length < rowsInATransaction) continue;
      await this.put(some);
      some = [];
    }
    await this.put(some);
    await this.tree.transaction(() => this.finish());
    await this.tree.flushed;
  }

  /** What is gone, and what belonged to it. */
  lost(): string[] {
    const { clients, named, strange } = this.inventory;
    for (const [session, clientId] of named)
      if (!clients.has(session)) this.losses.add('sessions', JSON.stringify(clientId ?? `session ${session}`));
    for (let count = 0; count < strange; count++) this.losses.add('rows that make no sense');
    return this.losses.inWords();
  }

  private async put(rows: readonly RawRow[]): Promise<void> {
    await this.tree.transaction(() => {
      for (const raw of rows) {
        const row = storedRow(raw);
        if (row === undefined) continue;
        if (this.tree.getBinary(raw.key) !== undefined) this.losses.add('rows that are there twice');
        else if (this.belongs(row)) this.tree.putSync(raw.key, asBinary(raw.value));
      }
    });
  }

  /** Whether a row is to be copied; what can be told from the others is made anew. */
  private belongs(row: StoredRow): boolean {
    const { clients, bodies, doomed } = this.inventory;
    switch (row.kind) {
      case 'body':
        return true;
      case 'retained':
        this.kept.retained++;
        return true;
      case 'session':
        this.kept.sessions++;
        return true;
      case 'subscription':
      case 'received': {
        const kind = row.kind === 'received' ? 'received' : 'subscriptions';
        if (clients.has(row.session)) this.kept[kind]++;
        else
          this.drop(
            kind === 'received' ? 'QoS 2 messages received, of lost sessions' : 'subscriptions of lost sessions',
            row.session,
            row.about,
          );
        return clients.has(row.session);
      }
      case 'entry': {
        if (doomed.has(row.session)) return false;
        const [, size, body] = row.entry;
        if (!clients.has(row.session)) return this.drop('queued messages of lost sessions', row.session, topicOf(body));
        if (typeof body === 'number' && !bodies.has(body))
          return this.drop('queued messages whose body is lost', row.session);
        this.enqueue(row.session, row.position, size, body);
        return true;
      }
      default:
        return false;
    }
  }

  private enqueue(session: number, position: number, size: number, body: unknown): void {
    this.kept.queued++;
    const totals = this.totals.get(session) ?? { count: 0, bytes: 0, last: 0 };
    this.totals.set(session, totals);
    totals.count++;
    totals.bytes += size;
    totals.last = Math.max(totals.last, position);
    if (typeof body === 'number') this.references.set(body, (this.references.get(body) ?? 0) + 1);
  }

  private finish(): void {
    for (const [session, clientId] of this.inventory.clients) {
      this.tree.putSync(clientKey(clientId), session);
      const { count, bytes, last } = this.totals.get(session) ?? { count: 0, bytes: 0, last: 0 };
      const lastPosition = Math.max(last, this.inventory.totals.get(session)?.last ?? 0);
      const totals: StoredTotals = [count, bytes, lastPosition];
      if (lastPosition > 0) this.tree.putSync(totalsKey(session), totals);
    }
    for (const body of this.inventory.bodies) if (!this.references.has(body)) this.tree.removeSync(bodyKey(body));
    for (const [body, count] of this.references) this.tree.putSync(countKey(body), count);
    this.tree.putSync(formatKey, ['moat', storeFormat]);
  }

  /** Something of a session, about a topic or a filter if that is known. */
  private drop(what: string, session: number, about = ''): false {
    const client = JSON.stringify(this.inventory.clientOf(session) ?? `session ${session}`);
    this.losses.add(what, about === '' ? client : `${client} ${JSON.stringify(about)}`);
    return false;
  }
}

function topicOf(body: StoredEntry[2]): string | undefined {
  return typeof body === 'object' ? body[0] : undefined;
}
