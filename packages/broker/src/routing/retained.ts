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

  constructor(private readonly limits: RetainedLimits) {
    this.cache = new RetainedCache(limits);
  }

  get count(): number {
    return this.messages;
  }

  get bytes(): number {
    return this.totalBytes;
  }

  /** Whether a message may be stored without passing a limit; replacing one only counts what it adds. */
  hasRoom(topic: string, size: number): boolean {
    const old = this.find(topic)?.size;
    return (
      this.messages + (old === undefined ? 1 : 0) <= this.limits.max_retained_messages &&
      this.totalBytes + size - (old ?? 0) <= this.limits.max_retained_bytes
    );
  }

  /** Keeps a message, at hand if the store has it and for good if not. */
  set(message: Message, stored: boolean): void {
    const { topic, size, expiresAt } = message;
    this.note(topic, size, expiresAt);
    if (stored) this.cache.set(message);
    else this.pinned.set(topic, message.keep());
  }

  /** Notes a message that the store has. `expiresAt` is Infinity when it does not expire. */
  note(topic: string, size: number, expiresAt: number): void {
    let node = this.root;
    for (const level of topic.split('/')) node = node.childOrNew(level);
    if (node.size < 0) this.messages++;
    this.totalBytes += size - Math.max(0, node.size);
    node.size = size;
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
    this.messages--;
    this.totalBytes -= node.size;
    node.size = -1;
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

  /** The node of a topic that has a message. */
  private find(topic: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const level of topic.split('/')) node = node?.child(level);
    return node === undefined || node.size < 0 ? undefined : node;
  }
}
