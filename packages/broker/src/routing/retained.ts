import { type Account, Accounts } from '../guard/accounts.js';
import type { RetainedRecord } from '../storage/store.js';
import { LevelNode } from './level-node.js';
import type { Message } from './message.js';
import { RetainedCache } from './retained-cache.js';

/** What of a retained message stays in memory, wherever its payload is. */
class Node extends LevelNode<Node> {
  /** What its message counts for; -1 without one. */
  size = -1;
  /** Wall-clock milliseconds; 0 when it does not expire. */
  expiresAt = 0;
  /** Which of all changes was its last. */
  changed = 0;
  /** Whose it is; undefined for what is the server's, or nobody knows. */
  account: Account | undefined = undefined;

  protected override make(level: string): Node {
    return new Node(level);
  }
}

/** Nodes to look at; `all` when everything from them on matches. */
interface Visit {
  readonly nodes: Iterator<Node>;
  /** The topic above them, with its slash. */
  readonly above: string;
  readonly depth: number;
  readonly all: boolean;
}

/** A retained message that a filter matches. */
export interface RetainedMatch {
  readonly topic: string;
  /** Undefined when only the store has it. */
  readonly message: Message | undefined;
}

/** So many topic levels are looked at before whoever reads the matches is given the chance to let others come in between. */
const levelsInATurn = 2_000;

/** What keeps retained messages within bounds: counts and bytes in all, and of those in memory. */
export interface RetainedLimits {
  readonly max_retained_messages: number;
  readonly max_retained_bytes: number;
  readonly retained_cache_bytes: number;
}

/** What leaves no room for a retained message, by its name in the configuration. */
export type RetainedShortage = Exclude<keyof RetainedLimits, 'retained_cache_bytes'> | keyof Publisher['limits'];

/** Who has messages retained, and how many he may have. */
export interface Publisher {
  /** Key of the principal. */
  readonly owner: string;
  readonly limits: {
    readonly max_retained_messages_per_user: number;
    readonly max_retained_bytes_per_user: number;
  };
}

/**
 * Which topics have a retained message (MQTT 5.0 §3.3.1.3), in a tree by level so that a filter finds its matches
 * without looking at the others. The messages themselves are in the store, and at hand as far as the cache goes; those of
 * the server are nowhere else. They belong to no session. // [MQTT3-3.1.2-7]
 */
export class RetainedMessages {
  private readonly root = new Node('');
  private readonly cache: RetainedCache;
  /** Messages that the store does not have. */
  private readonly pinned = new Map<string, Message>();
  /** When each of those that expire does, by topic. */
  private readonly expiring = new Map<string, number>();
  private messages = 0;
  private changeCount = 0;
  private totalBytes = 0;

  constructor(
    private readonly limits: RetainedLimits,
    private readonly accounts = new Accounts(),
  ) {
    this.cache = new RetainedCache(limits);
  }

  get count(): number {
    return this.messages;
  }

  get bytes(): number {
    return this.totalBytes;
  }

  /** The limit that leaves no room for a message; undefined when there is room. Of one that replaces another only what it adds counts. */
  shortage(topic: string, size: number, publisher: Publisher | undefined): RetainedShortage | undefined {
    const { limits } = this;
    const old = this.find(topic);
    const added = size - (old?.size ?? 0);
    if (isBeyond(this.messages, old === undefined ? 1 : 0, limits.max_retained_messages))
      return 'max_retained_messages';
    if (isBeyond(this.totalBytes, added, limits.max_retained_bytes)) return 'max_retained_bytes';
    if (publisher === undefined) return undefined;
    const { max_retained_messages_per_user: messages, max_retained_bytes_per_user: bytes } = publisher.limits;
    const account = this.accounts.get(publisher.owner);
    const isTheirs = account !== undefined && old?.account === account;
    if (isBeyond(account?.retainedMessages ?? 0, isTheirs ? 0 : 1, messages)) return 'max_retained_messages_per_user';
    return isBeyond(account?.retainedBytes ?? 0, isTheirs ? added : size, bytes)
      ? 'max_retained_bytes_per_user'
      : undefined;
  }

  /** Keeps a message of the principal `owner`, at hand if the store has it and for good if not. */
  set(message: Message, stored: boolean, owner: string | undefined): void {
    const { topic, size, expiresAt } = message;
    this.note({ topic, size, expiresAt, owner });
    if (stored) this.cache.set(message);
    else this.pinned.set(topic, message.keep());
  }

  /** Notes a message that the store has. */
  note({ topic, size, expiresAt, owner }: RetainedRecord): void {
    let node = this.root;
    for (const level of topic.split('/')) node = node.childOrNew(level);
    if (node.size >= 0) this.forget(node);
    this.messages++;
    this.totalBytes += size;
    node.size = size;
    if (owner !== undefined) this.credit(node, owner);
    node.changed = ++this.changeCount;
    const expires = expiresAt !== Number.POSITIVE_INFINITY;
    node.expiresAt = expires ? expiresAt : 0;
    if (expires) this.expiring.set(topic, expiresAt);
    else if (this.expiring.size > 0) this.expiring.delete(topic);
  }

  /** A message as it was read from the store after so many changes: it is at hand from now on, if it still is the one. */
  bringBack(message: Message, changes: number): void {
    if ((this.changedAt(message.topic) ?? Number.POSITIVE_INFINITY) <= changes) this.cache.set(message);
  }

  /** How many changes there were. */
  get changes(): number {
    return this.changeCount;
  }

  /** Which of them was the last of a topic; undefined when it has no message. */
  changedAt(topic: string): number | undefined {
    return this.find(topic)?.changed;
  }

  /** Key of the principal whose message a topic has; undefined when it has none, or nobody knows. */
  ownerOf(topic: string): string | undefined {
    return this.find(topic)?.account?.owner;
  }

  /** The message of a topic, if it is at hand. */
  get(topic: string): Message | undefined {
    return this.pinned.get(topic) ?? this.cache.get(topic);
  }

  /** Removes a topic's message; false when it has none. */
  delete(topic: string): boolean {
    const levels = topic.split('/');
    const path = [this.root];
    for (const level of levels) {
      const child = (path.at(-1) as Node).child(level);
      if (child === undefined) return false;
      path.push(child);
    }
    const node = path.at(-1) as Node;
    if (node.size < 0) return false;
    this.forget(node);
    this.cache.delete(topic);
    this.pinned.delete(topic);
    this.expiring.delete(topic);
    for (let index = levels.length; index > 0; index--) {
      const child = path[index] as Node;
      if (child.size >= 0 || child.hasChildren) break;
      (path[index - 1] as Node).removeChild(levels[index - 1] as string);
    }
    return true;
  }

  /**
   * Every topic with a retained message that a filter matches and that has not expired at `now` (wall-clock
   * milliseconds); undefined now and then, where many were looked at and none found yet. May be read while messages come and
   * go. // [MQTT3-3.3.1-6]
   */
  *match(filter: string, now: number): Generator<RetainedMatch | undefined> {
    const levels = filter.split('/');
    const stack: Visit[] = [];
    const visit = (parent: Node, above: string, depth: number, all: boolean): void => {
      const level = levels[depth];
      if (all || level === '#' || level === '+')
        stack.push({ nodes: parent.eachChild(), above, depth, all: all || level === '#' });
      const child = all || level === undefined ? undefined : parent.child(level);
      if (child !== undefined) stack.push({ nodes: [child].values(), above, depth, all: false });
    };
    visit(this.root, '', 0, false);
    let looked = 0;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { value: node, done } = top.nodes.next();
      if (done || node === undefined) {
        stack.pop();
        continue;
      }
      if (++looked % levelsInATurn === 0) yield undefined;
      // A filter that begins with a wildcard does not match topics that begin with $.
      if (top.depth === 0 && node.level.startsWith('$') && levels[0] !== node.level) continue; // [MQTT-4.7.2-1]
      const topic = top.above + node.level;
      const depth = top.depth + 1;
      // `#` matches the level above it and everything below.
      const ends = top.all || levels[depth] === undefined || levels[depth] === '#';
      if (ends && node.size >= 0 && (node.expiresAt === 0 || node.expiresAt > now))
        yield { topic, message: this.get(topic) };
      if (top.all || levels[depth] !== undefined) visit(node, `${topic}/`, depth, top.all);
    }
  }

  /** Removes what has expired; returns the topics. */
  expire(now: number): string[] {
    const expired: string[] = [];
    for (const [topic, expiresAt] of this.expiring) if (expiresAt <= now) expired.push(topic);
    for (const topic of expired) this.delete(topic);
    return expired;
  }

  private credit(node: Node, owner: string): void {
    const account = this.accounts.of(owner);
    account.retainedMessages++;
    account.retainedBytes += node.size;
    node.account = account;
  }

  /** A message counts no more. */
  private forget(node: Node): void {
    const { account, size } = node;
    this.messages--;
    this.totalBytes -= size;
    node.size = -1;
    if (account === undefined) return;
    node.account = undefined;
    account.retainedMessages--;
    account.retainedBytes -= size;
    this.accounts.settle(account);
  }

  /** The node of a topic that has a message. */
  private find(topic: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const level of topic.split('/')) node = node?.child(level);
    return node === undefined || node.size < 0 ? undefined : node;
  }
}

/** What adds nothing fits always: a limit may have been lowered below what there is. */
function isBeyond(count: number, added: number, most: number): boolean {
  return added > 0 && count + added > most;
}
