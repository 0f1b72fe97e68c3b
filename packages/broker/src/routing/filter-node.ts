import { LevelNode } from './level-node.js';
import { SharedGroup } from './shared-group.js';
import type { Subscriber } from './subscriber.js';
import { type PackedOptions, type Place, Subscription } from './subscription.js';

/** The subscriptions to one filter once there is more than a single one, or a shared one. */
class Several {
  readonly individual = new Map<Subscriber, PackedOptions>();
  /** By share name. */
  groups: Map<string, SharedGroup> | undefined = undefined;
}

/** All that matches one topic name. */
export interface Matches {
  readonly individual: Subscription[];
  readonly groups: SharedGroup[];
}

/**
 * One level of the filters that there are, wildcards included, and the place of the subscriptions whose filter ends at
 * it. Most filters have one subscriber: then the node is all that there is of the subscription.
 */
export class FilterNode extends LevelNode<FilterNode> implements Place {
  private holder: Subscriber | Several | undefined = undefined;
  /** Those of a single holder; undefined where there is none or several. */
  private options: PackedOptions | undefined = undefined;

  constructor(
    level: string,
    /** Undefined for the root. */
    readonly parent: FilterNode | undefined,
  ) {
    super(level);
  }

  protected override make(level: string): FilterNode {
    return new FilterNode(level, this);
  }

  get filter(): string {
    const levels: string[] = [];
    for (let node: FilterNode = this; node.parent !== undefined; node = node.parent) levels.push(node.level);
    return levels.reverse().join('/');
  }

  /** Whether it leads to no subscription. */
  get isEmpty(): boolean {
    return this.holder === undefined && !this.hasChildren;
  }

  subscriptionOf(subscriber: Subscriber): Subscription | undefined {
    const { holder } = this;
    const own = holder === subscriber ? this.options : undefined;
    const options = holder instanceof Several ? holder.individual.get(subscriber) : own;
    return options === undefined ? undefined : new Subscription(subscriber, this, options);
  }

  /** Adds a subscription or changes its options; tells whether it is new. */
  set(subscriber: Subscriber, options: PackedOptions): boolean {
    const { holder } = this;
    if (holder === undefined || holder === subscriber) {
      this.hold(subscriber, options);
      return holder === undefined;
    }
    const { individual } = this.several();
    const isNew = !individual.has(subscriber);
    individual.set(subscriber, options);
    return isNew;
  }

  delete(subscriber: Subscriber): void {
    const { holder } = this;
    if (holder === subscriber) this.hold(undefined, undefined);
    else if (holder instanceof Several) {
      holder.individual.delete(subscriber);
      this.tidy(holder);
    }
  }

  group(shareName: string): SharedGroup | undefined {
    return this.holder instanceof Several ? this.holder.groups?.get(shareName) : undefined;
  }

  groupOrNew(shareName: string): SharedGroup {
    const several = this.several();
    several.groups ??= new Map();
    let group = several.groups.get(shareName);
    if (group === undefined) {
      group = new SharedGroup(shareName, this);
      several.groups.set(shareName, group);
    }
    return group;
  }

  deleteGroup(shareName: string): void {
    if (!(this.holder instanceof Several)) return;
    this.holder.groups?.delete(shareName);
    this.tidy(this.holder);
  }

  /** Adds the subscriptions that stand here. */
  collect({ individual, groups }: Matches): void {
    const { holder, options } = this;
    // Says the same as the class of the holder, without a look at it: one of a million is seldom in the cache.
    if (options !== undefined) individual.push(new Subscription(holder as Subscriber, this, options));
    else if (holder instanceof Several) {
      for (const [subscriber, its] of holder.individual) individual.push(new Subscription(subscriber, this, its));
      if (holder.groups !== undefined) groups.push(...holder.groups.values());
    }
  }

  private several(): Several {
    const { holder, options } = this;
    if (holder instanceof Several) return holder;
    const several = new Several();
    if (holder !== undefined && options !== undefined) several.individual.set(holder, options);
    this.hold(several, undefined);
    return several;
  }

  private hold(holder: Subscriber | Several | undefined, options: PackedOptions | undefined): void {
    this.holder = holder;
    this.options = options;
  }

  private tidy(several: Several): void {
    if (several.groups?.size === 0) several.groups = undefined;
    if (several.individual.size === 0 && several.groups === undefined) this.hold(undefined, undefined);
  }
}
