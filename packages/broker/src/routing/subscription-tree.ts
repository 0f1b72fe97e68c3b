import { parseSharedFilter } from '@moat/codec';
import { FilterNode, type Matches } from './filter-node.js';
import type { SharedGroup } from './shared-group.js';
import type { Subscriber } from './subscriber.js';
import { type Place, packOptions, type Subscription, type SubscriptionOptions } from './subscription.js';

/**
 * Who is subscribed to what: a tree by topic level.
 *
 * ```
 *   root ─ devices ─┬─ 17 ─ #         devices/17/#
 *                   ├─ +  ─ status    devices/+/status
 *                   └─ 18 ─ status    devices/18/status
 * ```
 *
 * Matching takes time by levels and matches, not by subscriptions. Nothing recurses, whatever depth a filter has.
 * Invariant: a node without children and subscriptions does not exist, but for the root.
 */
export class SubscriptionTree {
  private readonly root = new FilterNode('', undefined);
  private total = 0;

  /** How many subscriptions there are. */
  get size(): number {
    return this.total;
  }

  /** Adds a subscription or changes the options of the one with the same filter. // [MQTT-3.8.4-3] [MQTT3-3.8.4-3] */
  set(subscriber: Subscriber, filter: string, options: SubscriptionOptions): { place: Place; isNew: boolean } {
    const shared = parseSharedFilter(filter);
    let node = this.root;
    for (const level of (shared?.filter ?? filter).split('/')) node = node.childOrNew(level);
    const place = shared === undefined ? node : node.groupOrNew(shared.shareName);
    const isNew = place.set(subscriber, packOptions(options));
    if (isNew) this.total++;
    return { place, isNew };
  }

  get(subscriber: Subscriber, filter: string): Subscription | undefined {
    const shared = parseSharedFilter(filter);
    const node = this.find(shared?.filter ?? filter);
    return (shared === undefined ? node : node?.group(shared.shareName))?.subscriptionOf(subscriber);
  }

  /** The group of a shared filter. */
  group(filter: string): SharedGroup | undefined {
    const shared = parseSharedFilter(filter);
    return shared && this.find(shared.filter)?.group(shared.shareName);
  }

  /** Removes the subscription whose filter is the same character by character; returns where it stood. // [MQTT-3.10.4-1] */
  delete(subscriber: Subscriber, filter: string): Place | undefined {
    const shared = parseSharedFilter(filter);
    const node = this.find(shared?.filter ?? filter);
    const group = shared && node?.group(shared.shareName);
    const place = shared === undefined ? node : group;
    if (node === undefined || place?.subscriptionOf(subscriber) === undefined) return undefined;
    place.delete(subscriber);
    if (group?.size === 0) node.deleteGroup(group.shareName);
    prune(node);
    this.total--;
    return place;
  }

  /** Every subscription that matches a topic name. // [MQTT-4.7.2-1] [MQTT-4.7.3-4] [MQTT3-3.8.3-2] */
  match(topic: string): Matches {
    const matches: Matches = { individual: [], groups: [] };
    const levels = topic.split('/');
    const startsWithDollar = topic.startsWith('$');
    let current: FilterNode[] = [this.root];
    for (let depth = 0; depth <= levels.length; depth++) {
      const wildcards = depth > 0 || !startsWithDollar;
      const level = levels[depth];
      const next: FilterNode[] = [];
      for (const node of current) {
        if (level === undefined) node.collect(matches);
        if (!node.hasChildren) continue;
        // `#` also matches the level above it.
        if (wildcards) node.child('#')?.collect(matches);
        if (level === undefined) continue;
        const child = node.child(level);
        if (child !== undefined) next.push(child);
        const plus = wildcards ? node.child('+') : undefined;
        if (plus !== undefined) next.push(plus);
      }
      current = next;
    }
    return matches;
  }

  /** The node at which a filter ends; undefined when there is no such path. */
  private find(filter: string): FilterNode | undefined {
    let node: FilterNode | undefined = this.root;
    for (const level of filter.split('/')) node = node?.child(level);
    return node;
  }
}

/** Removes a node that leads nowhere any more, and those above it that led to nothing else. */
function prune(leaf: FilterNode): void {
  for (let node = leaf; node.parent !== undefined && node.isEmpty; node = node.parent)
    node.parent.removeChild(node.level);
}
