import type { QoS, Will } from '@moat/codec';
import type { Message } from '../routing/message.js';
import type { Router } from '../routing/router.js';
import type { Subscriber } from '../routing/subscriber.js';
import type { Subscription, SubscriptionOptions } from '../routing/subscription.js';
import { singleTarget, type Target } from '../routing/target.js';
import type { Store } from '../storage/store.js';
import type { Timer } from '../transport/timer-wheel.js';
import type { Link } from './link.js';
import { Outgoing, type QueueLimits } from './outgoing.js';
import type { SessionCounters } from './session-counters.js';

/** What a client may do, as far as its session has to ask. Bound to one principal by the connection. */
export interface Rights {
  mayReceive(topic: string): boolean;
  mayPublish(topic: string, qos: QoS, retain: boolean): boolean;
}

/** What every session is given to work with. */
export interface SessionContext {
  readonly router: Router;
  readonly store: Store;
  readonly limits: QueueLimits;
  readonly counters: SessionCounters;
}

/** Seconds that mean "for ever" (MQTT 5.0 §3.1.2.11.2). */
export const neverExpires = 0xffff_ffff;

/**
 * What outlives a connection: subscriptions, messages under way in both directions, the will (MQTT 5.0 §4.1).
 * Belongs to one principal (invariant 3). Without a connection it gathers what its subscriptions match.
 */
export class Session implements Subscriber {
  link: Link | undefined = undefined;
  /** Unknown for a session read from the store until its client returns; what it queues is judged again then. */
  rights: Rights | undefined = undefined;
  will: Will | undefined = undefined;
  /** The delayed will, or the end of the session: whichever is set waits in the timer wheel. */
  willTimer: Timer | undefined = undefined;
  expiryTimer: Timer | undefined = undefined;
  readonly subscriptions: Subscription[] = [];
  private receivedIds: Set<number> | undefined = undefined;
  private outgoing: Outgoing | undefined = undefined;
  /** Retained messages that a new subscription is still to get: they leave as the client reads. */
  private feeds: Iterator<{ message: Message; target: Target }>[] | undefined = undefined;

  constructor(
    readonly clientId: string,
    readonly owner: string,
    /** Seconds; 0 ends the session with its connection. */
    public expiryInterval: number,
    private readonly context: SessionContext,
  ) {}

  get stored(): boolean {
    return this.expiryInterval > 0;
  }

  /** A shared subscription picks those that are connected and read. */
  get available(): boolean {
    return this.link?.writable ?? false;
  }

  get queued(): number {
    return this.outgoing?.queued ?? 0;
  }

  get inFlight(): number {
    return this.outgoing?.inFlightCount ?? 0;
  }

  mayReceive(topic: string): boolean {
    return this.rights?.mayReceive(topic) ?? true;
  }

  dropped(count: number, why: 'queue_full' | 'expired' | 'not_authorized' | 'too_large'): void {
    this.context.counters.dropped[why] += count;
  }

  deliver(message: Message, target: Target): void {
    const retain = target.retainAsPublished && message.retain; // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    this.send(message, target, retain);
  }

  /** Sends the retained messages that a subscription matches, as fast as the client reads. */
  deliverRetained(subscription: Subscription, now: number): void {
    this.feeds ??= [];
    this.feeds.push(this.retainedFor(subscription, now));
    this.drain();
  }

  /** The wire takes more, or a quota was raised. */
  drain(): void {
    const { link } = this;
    if (link === undefined) return;
    this.outgoing?.drain(link);
    while (this.feeds !== undefined && link.writable && this.queued === 0) {
      const feed = this.feeds[0];
      const next = feed?.next();
      if (next === undefined || next.done) {
        this.feeds.shift();
        if (this.feeds.length === 0) this.feeds = undefined;
        continue;
      }
      this.send(next.value.message, next.value.target, true); // [MQTT-3.3.1-8]
    }
  }

  /** Adds or changes a subscription; tells whether it is new. */
  subscribe(filter: string, options: SubscriptionOptions): { subscription: Subscription; isNew: boolean } {
    const { router, store } = this.context;
    const result = router.subscribe(this, filter, options);
    if (result.isNew) {
      result.subscription.index = this.subscriptions.length;
      this.subscriptions.push(result.subscription);
    }
    if (this.stored) store.putSubscription(this.clientId, { filter, ...options });
    return result;
  }

  /** False when there was no such subscription. */
  unsubscribe(filter: string): boolean {
    const removed = this.context.router.unsubscribe(this, filter);
    if (removed === undefined) return false;
    const last = this.subscriptions.pop();
    if (last !== undefined && last !== removed) {
      this.subscriptions[removed.index] = last;
      last.index = removed.index;
    }
    if (this.stored) this.context.store.deleteSubscription(this.clientId, filter);
    return true;
  }

  /** Remembers the identifier of an incoming QoS 2 message; false when it is a repetition. // [MQTT-4.3.3-10] */
  receive(packetId: number): boolean {
    this.receivedIds ??= new Set();
    if (this.receivedIds.has(packetId)) return false;
    this.receivedIds.add(packetId);
    if (this.stored) this.context.store.putReceived(this.clientId, packetId);
    return true;
  }

  hasReceived(packetId: number): boolean {
    return this.receivedIds?.has(packetId) ?? false;
  }

  /** PUBREL: the identifier is free again; false when it was not in use. */
  releaseReceived(packetId: number): boolean {
    const known = this.receivedIds?.delete(packetId) ?? false;
    if (known && this.stored) this.context.store.deleteReceived(this.clientId, packetId);
    return known;
  }

  get receivedCount(): number {
    return this.receivedIds?.size ?? 0;
  }

  acknowledged(packetId: number, qos: 1 | 2): boolean {
    const known = this.outgoing?.acknowledged(packetId, qos) ?? false;
    if (known && this.feeds !== undefined) this.drain();
    return known;
  }

  received(packetId: number): boolean {
    return this.outgoing?.received(packetId) ?? false;
  }

  completed(packetId: number): boolean {
    const known = this.outgoing?.completed(packetId) ?? false;
    if (known && this.feeds !== undefined) this.drain();
    return known;
  }

  attach(link: Link, rights: Rights): void {
    this.link = link;
    this.rights = rights;
    this.outgoing?.attach(link);
  }

  detach(): void {
    this.link = undefined;
    this.feeds = undefined;
    this.outgoing?.detach();
  }

  /** Takes up what the store held. */
  restore(queue: { count: number; bytes: number; lastPosition: number }, received: readonly number[]): void {
    if (queue.lastPosition > 0)
      this.outgoing = new Outgoing(this, this.context.store, this.context.limits, queue);
    if (received.length > 0) this.receivedIds = new Set(received);
  }

  /** Gives up everything; what shared subscriptions still had to bring goes to other members. */
  end(): void {
    const { router } = this.context;
    const hasShared = this.subscriptions.some(({ filter }) => filter.startsWith('$share/'));
    for (const { filter } of this.subscriptions) router.unsubscribe(this, filter);
    this.subscriptions.length = 0;
    const { outgoing } = this;
    if (!hasShared || outgoing === undefined) return;
    void outgoing.leftovers().then(
      (leftovers) => {
        for (const { message, sharedFilter } of leftovers) router.group(sharedFilter)?.deliver(message, this);
      },
      () => this.dropped(outgoing.queued, 'queue_full'),
    );
  }

  private send(message: Message, target: Target, retain: boolean): void {
    const qos = message.qos < target.qos ? message.qos : target.qos; // [MQTT-3.8.4-8]
    const { link } = this;
    if (qos !== 0) {
      if (this.outgoing === undefined) {
        this.outgoing = new Outgoing(this, this.context.store, this.context.limits);
        if (link !== undefined) this.outgoing.attach(link);
      }
      this.outgoing.push(message, qos, retain, target);
      return;
    }
    if (link === undefined) return;
    const { subscriptionIdentifiers } = target;
    if (!retain && subscriptionIdentifiers === undefined) link.forward(message);
    else if (!link.publish(message, { qos, retain, dup: false, packetId: 0, subscriptionIdentifiers }))
      this.dropped(message.count, 'too_large');
  }

  private *retainedFor(subscription: Subscription, now: number): Generator<{ message: Message; target: Target }> {
    const target = singleTarget(subscription);
    for (const message of this.context.router.retained.match(subscription.filter, now)) {
      if (this.mayReceive(message.topic)) yield { message, target };
    }
  }
}
