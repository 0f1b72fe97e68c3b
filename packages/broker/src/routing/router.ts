import type { MessageRecord, Store } from '../storage/store.js';
import type { Message } from './message.js';
import type { Publisher, RetainedMessages, RetainedShortage } from './retained.js';
import type { SharedGroup } from './shared-group.js';
import type { Subscriber, Target } from './subscriber.js';
import type { Place, Subscription, SubscriptionOptions } from './subscription.js';
import { SubscriptionTree } from './subscription-tree.js';
import { mergeTargets } from './target.js';

/** Where the messages of one topic go, worked out once and kept until a subscription or a right changes. */
interface Route {
  /** Most topics have one. Apart, so that a message finds it without looking into a list. */
  readonly first: Target | undefined;
  readonly others: readonly Target[];
  readonly groups: readonly SharedGroup[];
}

const noTargets: readonly Target[] = [];
const noGroups: readonly SharedGroup[] = [];

/** Judges retained messages long after they were published. */
export interface RetainedJudge {
  /** Whether a message of a principal, by its key, may stay; tells the operator when it may not. */
  mayStay(message: Message, owner: string): boolean;
}

const maximumCachedRoutes = 10_000;

/** Brings each message to the subscribers whose filters match. Knows nothing of connections or storage. */
export class Router {
  private readonly tree = new SubscriptionTree();
  private readonly routes = new Map<string, Route>();
  private lastTopic = '';
  private lastRoute: Route | undefined;
  /** Undefined: what is retained stays, whatever becomes of the rights of who published it. */
  judge: RetainedJudge | undefined;

  constructor(
    readonly retained: RetainedMessages,
    private readonly store: Store,
  ) {}

  /** How many subscriptions there are. */
  get subscriptionCount(): number {
    return this.tree.size;
  }

  subscribe(subscriber: Subscriber, filter: string, options: SubscriptionOptions): { place: Place; isNew: boolean } {
    this.forgetRoutes();
    return this.tree.set(subscriber, filter, options);
  }

  subscription(subscriber: Subscriber, filter: string): Subscription | undefined {
    return this.tree.get(subscriber, filter);
  }

  unsubscribe(subscriber: Subscriber, filter: string): Place | undefined {
    this.forgetRoutes();
    return this.tree.delete(subscriber, filter);
  }

  /** The group of a shared filter, to hand a message of a leaving member to another. */
  group(filter: string): SharedGroup | undefined {
    return this.tree.group(filter);
  }

  /** To be called when anybody's right to receive may have changed. */
  forgetRoutes(): void {
    if (this.routes.size > 0) this.routes.clear();
    this.lastRoute = undefined;
  }

  /** The limit that leaves no room for a message to be retained, replacing what its topic has; undefined when there is room. */
  retainedShortage(message: Message, publisher: Publisher | undefined): RetainedShortage | undefined {
    if (message.payloadLength === 0) return undefined;
    return this.retained.shortage(message.topic, message.size, publisher);
  }

  /** Whether a message of QoS 1 or 2 has to be stored, or may have to be. */
  mustStore({ topic, retain }: Pick<Message, 'topic' | 'retain'>): boolean {
    if (retain && !isServerTopic(topic)) return true;
    const { first, others, groups } = this.resolve(topic);
    if (first !== undefined && stores(first)) return true;
    return others.some(stores) || groups.some((group) => group.mayStore);
  }

  /**
   * Keeps the message if it is to be retained, and delivers it; returns whether anybody is subscribed. Without a
   * `publisher` it is the server's.
   */
  publish(message: Message, publisher?: Publisher): boolean {
    if (message.retain) this.retain(message, publisher); // [MQTT-3.3.1-8]
    return this.route(message);
  }

  /** Whether a message that is retained may still be delivered; one that may not is removed. */
  mayDeliver(message: Message): boolean {
    const { judge } = this;
    const owner = judge && this.retained.ownerOf(message.topic);
    if (judge === undefined || owner === undefined || judge.mayStay(message, owner)) return true;
    this.removeRetained(message.topic);
    return false;
  }

  /** The retained messages of those topics that have one in the store. */
  readRetained(topics: readonly string[]): Promise<readonly MessageRecord[]> {
    return this.store.readRetained(topics);
  }

  /** Removes retained messages whose time has come. `now` is wall-clock milliseconds. */
  expireRetained(now: number): void {
    for (const topic of this.retained.expire(now)) this.store.deleteRetained(topic);
  }

  /** Delivers to every match; returns whether there was any. // [MQTT-4.5.0-1] */
  route(message: Message): boolean {
    const { first, others, groups } = this.resolve(message.topic);
    if (first !== undefined) deliver(message, first);
    for (let index = 0; index < others.length; index++) deliver(message, others[index] as Target);
    if (groups.length > 0) deliverShared(groups, message);
    return first !== undefined || groups.length > 0;
  }

  private retain(message: Message, publisher: Publisher | undefined): void {
    // What nobody could refuse, a QoS 0 message or a will, is not kept where it could not be stored.
    if (this.store.failure !== undefined && !isServerTopic(message.topic)) return;
    if (message.payloadLength === 0) return this.removeRetained(message.topic); // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
    if (this.retainedShortage(message, publisher) !== undefined) return;
    const stored = !isServerTopic(message.topic);
    this.retained.set(message, stored, publisher?.owner);
    if (stored) this.store.putRetained(message.keep(), publisher?.owner);
  }

  private removeRetained(topic: string): void {
    if (this.retained.delete(topic) && !isServerTopic(topic)) this.store.deleteRetained(topic);
  }

  private resolve(topic: string): Route {
    if (this.lastRoute !== undefined && topic === this.lastTopic) return this.lastRoute;
    let route = this.routes.get(topic);
    if (route === undefined) {
      route = this.work(topic);
      if (this.routes.size >= maximumCachedRoutes) this.routes.clear();
      this.routes.set(topic, route);
    }
    this.lastTopic = topic;
    this.lastRoute = route;
    return route;
  }

  private work(topic: string): Route {
    const { individual, groups } = this.tree.match(topic);
    const [first, ...others] = mergeTargets(individual).filter((target) => target.subscriber.mayReceive(topic));
    return {
      first,
      others: others.length === 0 ? noTargets : others,
      groups: groups.length === 0 ? noGroups : groups,
    };
  }
}

/** `$SYS` and its like are made anew at every start, so they are never stored. */
function isServerTopic(topic: string): boolean {
  return topic.startsWith('$');
}

/** To a subscriber, unless it is its own message and it does not want those. */
function deliver(message: Message, target: Target): void {
  const isOwn = target.own !== target && target.subscriber.clientId === message.publisher;
  const wanted = isOwn ? target.own : target;
  wanted?.subscriber.deliver(message, wanted);
}

function stores({ qos, subscriber }: Target): boolean {
  return qos > 0 && subscriber.stored;
}

/** A run is dealt out message by message, so that the members share it. */
function deliverShared(groups: readonly SharedGroup[], message: Message): void {
  for (const single of message.each()) for (const group of groups) group.deliver(single);
}
