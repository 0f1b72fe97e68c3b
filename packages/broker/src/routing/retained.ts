import type { Message } from './message.js';

class Node {
  children: Map<string, Node> | undefined = undefined;
  message: Message | undefined = undefined;
}

/** A node to look at; `all` when everything from it on matches. */
interface Visit {
  readonly node: Node;
  readonly depth: number;
  readonly all: boolean;
}

/** What keeps retained messages within bounds: counts and bytes in all. */
export interface RetainedLimits {
  readonly max_retained_messages: number;
  readonly max_retained_bytes: number;
}

/**
 * The last retained message of each topic (MQTT 5.0 §3.3.1.3), in a tree by level so that a filter finds its
 * matches without looking at the others. They belong to no session. // [MQTT3-3.1.2-7]
 */
export class RetainedMessages {
  private readonly root = new Node();
  private messages = 0;
  private totalBytes = 0;

  constructor(private readonly limits: RetainedLimits) {}

  get count(): number {
    return this.messages;
  }

  get bytes(): number {
    return this.totalBytes;
  }

  /** Whether a message may be stored without passing a limit; replacing one only counts what it adds. */
  hasRoom(topic: string, size: number): boolean {
    const old = this.find(topic)?.message;
    return (
      this.messages + (old === undefined ? 1 : 0) <= this.limits.max_retained_messages &&
      this.totalBytes + size - (old?.size ?? 0) <= this.limits.max_retained_bytes
    );
  }

  set(message: Message): void {
    let node = this.root;
    for (const level of message.topic.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = new Node();
        node.children.set(level, child);
      }
      node = child;
    }
    if (node.message === undefined) this.messages++;
    this.totalBytes += message.size - (node.message?.size ?? 0);
    node.message = message.keep(); // [MQTT-3.3.1-5] [MQTT3-3.3.1-7]
  }

  get(topic: string): Message | undefined {
    return this.find(topic)?.message;
  }

  /** Removes a topic's message; false when it has none. */
  delete(topic: string): boolean {
    const levels = topic.split('/');
    const path = [this.root];
    for (const level of levels) {
      const child = (path.at(-1) as Node).children?.get(level);
      if (child === undefined) return false;
      path.push(child);
    }
    const node = path.at(-1) as Node;
    if (node.message === undefined) return false;
    this.messages--;
    this.totalBytes -= node.message.size;
    node.message = undefined;
    for (let index = levels.length; index > 0; index--) {
      const child = path[index] as Node;
      if (child.message !== undefined || child.children !== undefined) break;
      const parent = path[index - 1] as Node;
      parent.children?.delete(levels[index - 1] as string);
      if (parent.children?.size === 0) parent.children = undefined;
    }
    return true;
  }

  /** Every retained message that a filter matches and that has not expired at `now` (wall-clock milliseconds). // [MQTT3-3.3.1-6] */
  *match(filter: string, now: number): Generator<Message> {
    const levels = filter.split('/');
    const stack: Visit[] = [{ node: this.root, depth: 0, all: false }];
    for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
      const { node, depth } = visit;
      const level = levels[depth];
      // `#` matches the level above it and everything below.
      const all = visit.all || (level === '#' && depth > 0);
      if ((all || level === undefined) && node.message !== undefined && node.message.expiresAt > now)
        yield node.message;
      if (node.children === undefined || (level === undefined && !all)) continue;
      if (all || level === '#' || level === '+') {
        for (const [name, child] of node.children) {
          // A filter that begins with a wildcard does not match topics that begin with $.
          if (depth === 0 && name.startsWith('$')) continue; // [MQTT-4.7.2-1]
          stack.push({ node: child, depth: depth + 1, all: all || level === '#' });
        }
        continue;
      }
      const child = level === undefined ? undefined : node.children.get(level);
      if (child !== undefined) stack.push({ node: child, depth: depth + 1, all: false });
    }
  }

  /** Removes what has expired; returns the topics. */
  expire(now: number): string[] {
    const expired: string[] = [];
    for (const message of this.all()) if (message.expiresAt <= now) expired.push(message.topic);
    for (const topic of expired) this.delete(topic);
    return expired;
  }

  *all(): Generator<Message> {
    const stack = [this.root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node.message !== undefined) yield node.message;
      for (const child of node.children?.values() ?? []) stack.push(child);
    }
  }

  private find(topic: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const level of topic.split('/')) node = node?.children?.get(level);
    return node;
  }
}
