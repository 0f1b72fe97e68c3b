import { parseSharedFilter } from '@moat/codec';
import { LevelNode } from './level-node.js';
import { SharedGroup } from './shared-group.js';
import type { Subscriber } from './subscriber.js';
import { Subscription, type SubscriptionOptions } from './subscription.js';

/** The subscriptions of one filter once there is more than a single one, or a shared one. */
class SubscriptionSet {
  readonly individual = new Map<Subscriber, Subscription>();
  groups: Map<string, SharedGroup> | undefined;
}

/** A single subscription stands alone, since most filters have one. */
type Leaf = Subscription | SubscriptionSet | undefined;

/** One topic level. */
class Node extends LevelNode<Node> {
  /** The child for `+`. */
  plus: Node | undefined = undefined;
  /** Subscriptions that end here. */
  leaf: Leaf = undefined;
  /** Subscriptions that end here with `#`. */
  hashLeaf: Leaf = undefined;

  protected override make(level: string): Node {
    return new Node(level);
  }

  get isEmpty(): boolean {
    return !this.hasChildren && this.plus === undefined && this.leaf === undefined && this.hashLeaf === undefined;
  }
}

/** All that matches one topic name. */
export interface Matches {
  readonly individual: readonly Subscription[];
  readonly groups: readonly SharedGroup[];
}

/**
 * Who is subscribed to what: a tree by topic level.
 *
 * ```
 *   root ─ devices ─┬─ 17 ─ (# leaf)          devices/17/#
 *                   ├─ +  ─ status (leaf)     devices/+/status
 *                   └─ 18 ─ status (leaf)     devices/18/status
 * ```
 *
 * Matching takes time by levels and matches, not by subscriptions. Nothing recurses, whatever depth a filter has.
 * Invariant: a node without children and subscriptions does not exist, but for the root.
 */
export class SubscriptionTree {
  private readonly root = new Node('');
  private total = 0;

  /** How many subscriptions there are. */
  get size(): number {
    return this.total;
  }

  /** Adds a subscription or changes the options of the one with the same filter. // [MQTT-3.8.4-3] [MQTT3-3.8.4-3] */
  set(
    subscriber: Subscriber,
    filter: string,
    options: SubscriptionOptions,
  ): { subscription: Subscription; isNew: boolean } {
    const shared = parseSharedFilter(filter);
    const levels = (shared?.filter ?? filter).split('/');
    const isHash = levels.at(-1) === '#';
    if (isHash) levels.pop();
    let node = this.root;
    for (const level of levels) {
      if (level === '+') {
        node.plus ??= new Node('+');
        node = node.plus;
      } else node = node.childOrNew(level);
    }
    const leaf = isHash ? node.hashLeaf : node.leaf;
    const existing = findIn(leaf, subscriber, shared?.shareName);
    if (existing !== undefined) {
      existing.change(options);
      return { subscription: existing, isNew: false };
    }
    const subscription = new Subscription(subscriber, filter, options);
    const grown = withSubscription(leaf, subscription, shared?.shareName);
    if (isHash) node.hashLeaf = grown;
    else node.leaf = grown;
    this.total++;
    return { subscription, isNew: true };
  }

  get(subscriber: Subscriber, filter: string): Subscription | undefined {
    const shared = parseSharedFilter(filter);
    const path = this.path((shared?.filter ?? filter).split('/'));
    if (path === undefined) return undefined;
    const node = path.nodes.at(-1) ?? this.root;
    return findIn(path.isHash ? node.hashLeaf : node.leaf, subscriber, shared?.shareName);
  }

  /** The group of a shared filter. */
  group(filter: string): SharedGroup | undefined {
    const shared = parseSharedFilter(filter);
    if (shared === undefined) return undefined;
    const path = this.path(shared.filter.split('/'));
    const node = path?.nodes.at(-1) ?? this.root;
    const leaf = path?.isHash ? node.hashLeaf : node.leaf;
    return leaf instanceof SubscriptionSet ? leaf.groups?.get(shared.shareName) : undefined;
  }

  /** Removes the subscription whose filter is the same character by character. // [MQTT-3.10.4-1] */
  delete(subscriber: Subscriber, filter: string): Subscription | undefined {
    const shared = parseSharedFilter(filter);
    const levels = (shared?.filter ?? filter).split('/');
    const path = this.path(levels);
    if (path === undefined) return undefined;
    const node = path.nodes.at(-1) ?? this.root;
    const leaf = path.isHash ? node.hashLeaf : node.leaf;
    const removed = findIn(leaf, subscriber, shared?.shareName);
    if (removed === undefined) return undefined;
    const rest = withoutSubscription(leaf, subscriber, shared?.shareName);
    if (path.isHash) node.hashLeaf = rest;
    else node.leaf = rest;
    for (let index = path.nodes.length - 1; index >= 0; index--) {
      const child = path.nodes[index] as Node;
      if (!child.isEmpty) break;
      const parent = path.nodes[index - 1] ?? this.root;
      if (parent.plus === child) parent.plus = undefined;
      else parent.removeChild(child.level);
    }
    this.total--;
    return removed;
  }

  /** Every subscription that matches a topic name. // [MQTT-4.7.2-1] [MQTT-4.7.3-4] [MQTT3-3.8.3-2] */
  match(topic: string): Matches {
    const individual: Subscription[] = [];
    const groups: SharedGroup[] = [];
    const levels = topic.split('/');
    const startsWithDollar = topic.startsWith('$');
    let current: Node[] = [this.root];
    for (let depth = 0; depth <= levels.length; depth++) {
      const wildcards = depth > 0 || !startsWithDollar;
      const level = levels[depth];
      const next: Node[] = [];
      for (const node of current) {
        // `#` also matches the level above it.
        if (wildcards) collect(node.hashLeaf, individual, groups);
        if (level === undefined) {
          collect(node.leaf, individual, groups);
          continue;
        }
        const child = node.child(level);
        if (child !== undefined) next.push(child);
        if (wildcards && node.plus !== undefined) next.push(node.plus);
      }
      current = next;
    }
    return { individual, groups };
  }

  /** The nodes from below the root down to a filter's end; undefined when there is no such path. */
  private path(levels: readonly string[]): { nodes: Node[]; isHash: boolean } | undefined {
    const isHash = levels.at(-1) === '#';
    const nodes: Node[] = [];
    let node = this.root;
    for (let index = 0; index < levels.length - (isHash ? 1 : 0); index++) {
      const level = levels[index] as string;
      const next = level === '+' ? node.plus : node.child(level);
      if (next === undefined) return undefined;
      nodes.push(next);
      node = next;
    }
    return { nodes, isHash };
  }
}

function withSubscription(leaf: Leaf, subscription: Subscription, group: string | undefined): Leaf {
  if (leaf === undefined && group === undefined) return subscription;
  const set = leaf instanceof SubscriptionSet ? leaf : new SubscriptionSet();
  if (leaf instanceof Subscription) set.individual.set(leaf.subscriber, leaf);
  if (group === undefined) set.individual.set(subscription.subscriber, subscription);
  else {
    set.groups ??= new Map();
    let members = set.groups.get(group);
    if (members === undefined) {
      members = new SharedGroup();
      set.groups.set(group, members);
    }
    members.add(subscription);
  }
  return set;
}

function withoutSubscription(leaf: Leaf, subscriber: Subscriber, group: string | undefined): Leaf {
  if (!(leaf instanceof SubscriptionSet)) return undefined;
  if (group === undefined) leaf.individual.delete(subscriber);
  else {
    const members = leaf.groups?.get(group);
    members?.remove(subscriber);
    if (members?.size === 0) leaf.groups?.delete(group);
    if (leaf.groups?.size === 0) leaf.groups = undefined;
  }
  return leaf.individual.size === 0 && leaf.groups === undefined ? undefined : leaf;
}

function findIn(leaf: Leaf, subscriber: Subscriber, group: string | undefined): Subscription | undefined {
  if (leaf instanceof SubscriptionSet) {
    return group === undefined ? leaf.individual.get(subscriber) : leaf.groups?.get(group)?.find(subscriber);
  }
  return group === undefined && leaf?.subscriber === subscriber ? leaf : undefined;
}

function collect(leaf: Leaf, individual: Subscription[], groups: SharedGroup[]): void {
  if (leaf === undefined) return;
  if (leaf instanceof Subscription) individual.push(leaf);
  else {
    for (const subscription of leaf.individual.values()) individual.push(subscription);
    if (leaf.groups !== undefined) groups.push(...leaf.groups.values());
  }
}
