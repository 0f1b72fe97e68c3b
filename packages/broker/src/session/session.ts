import { isSharedFilter, PacketType, type QoS, type Will } from '@moat/codec';
import type { Budget } from '../guard/budget.js';
import type { Decision } from '../policy/decide.js';
import { Message } from '../routing/message.js';
import type { Publisher, RetainedMatch } from '../routing/retained.js';
import type { Router } from '../routing/router.js';
import type { Subscriber, Target } from '../routing/subscriber.js';
import { bytesOf, type Place, type Subscription, type SubscriptionOptions } from '../routing/subscription.js';
import { singleTarget } from '../routing/target.js';
import type { QueueEntry, RestoredSession, Store } from '../storage/store.js';
import type { Timer } from '../transport/timer-wheel.js';
import { entriesBehind } from './delivery.js';
import type { Give } from './hand-over.js';
import { Incoming } from './incoming.js';
import type { KeptMessages } from './kept-messages.js';
import type { Awaited } from './left-for-good.js';
import type { Link } from './link.js';
import { Outgoing } from './outgoing.js';
import type { DropReason } from './outgoing-queue.js';
import { RetainedFeed } from './retained-feed.js';
import type { SessionCounters } from './session-counters.js';
import type { Terms } from './terms.js';

/** So many retained messages that a client may not receive are passed over in one turn of the loop. */
const refusedInATurn = 500;

/** What a client may do, as far as its session has to ask. Bound to one principal by the connection. */
export interface Rights {
  mayReceive(topic: string): boolean;
  mayPublish(topic: string, qos: QoS, retain: boolean, message: { readonly payload: Uint8Array }): Decision;
  denied(action: 'publish', topic: string, decision: Decision, count?: number): void;
  /** Lets go of what was decided, to decide it anew. */
  forget(): void;
}

/** What every session is given to work with. */
export interface SessionContext {
  readonly router: Router;
  readonly store: Store;
  readonly kept: KeptMessages;
  /** What the subscriptions of all take. */
  readonly subscriptions: Budget;
  readonly counters: SessionCounters;
  /** The terms of a session whose client is away, which may have changed since it was there. */
  termsAway(session: Session): Terms;
}

/** Seconds that mean "for ever" (MQTT 5.0 §3.1.2.11.2). */
export const neverExpires = 0xffff_ffff;

/**
 * What outlives a connection: subscriptions, messages under way in both directions, the will (MQTT 5.0 §4.1).
 * Belongs to one principal (invariant 3). Without a connection it gathers what its subscriptions match.
 */
export class Session implements Subscriber, Publisher {
  link: Link | undefined = undefined;
  /** Those that its client has, or had when it left; unknown for a session read from the store. */
  terms: Terms | undefined = undefined;
  /** Unknown for a session read from the store until its client returns; what it queues is judged again then. */
  rights: Rights | undefined = undefined;
  will: Will | undefined = undefined;
  /** The delayed will, or the end of the session: whichever is set waits in the timer wheel. */
  willTimer: Timer | undefined = undefined;
  /** Wall-clock milliseconds; undefined while it is connected. */
  disconnectedAt: number | undefined = undefined;
  expiryTimer: Timer | undefined = undefined;
  /** What its packets came to is durable when that many operations of the store are. */
  stagedUpTo = 0;
  private places: Place[] = [];
  private incoming: Incoming | undefined = undefined;
  private outgoing: Outgoing | undefined = undefined;
  /** Retained messages that a new subscription is still to get: they leave as the client reads. */
  private feeds: { readonly feed: RetainedFeed; readonly target: Target }[] | undefined = undefined;

  constructor(
    readonly clientId: string,
    /** Key of its principal; another one only where the operator permits a takeover. */
    public owner: string,
    /** Seconds; 0 ends the session with its connection. */
    public expiryInterval: number,
    private readonly context: SessionContext,
    /** Whether the store has it: from the beginning or never, whatever becomes of the expiry interval. */
    readonly stored: boolean = expiryInterval > 0,
  ) {}

  /** A shared subscription picks those that are connected, read, and acknowledge. */
  get available(): boolean {
    return this.link?.writable === true && (this.outgoing?.isReady ?? true);
  }

  get limits(): Terms['limits'] {
    if (this.link === undefined || this.terms === undefined) this.terms = this.context.termsAway(this);
    return this.terms.limits;
  }

  get queued(): number {
    return this.outgoing?.queued ?? 0;
  }

  /** Bytes of those that wait. */
  get queuedBytes(): number {
    return this.outgoing?.queue.bytes ?? 0;
  }

  get bytesInFlight(): number {
    return this.outgoing?.bytesInFlight ?? 0;
  }

  get inFlight(): number {
    return this.outgoing?.inFlightCount ?? 0;
  }

  mayReceive(topic: string): boolean {
    return this.rights?.mayReceive(topic) ?? true;
  }

  /** The last position of its queue that was sent. */
  get sentUpTo(): number {
    return this.outgoing?.sentUpTo ?? 0;
  }

  dropped(count: number, why: DropReason): void {
    this.context.counters.dropped[why] += count;
  }

  deliver(message: Message, target: Target): void {
    const retain = target.retainAsPublished && message.retain; // [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT3-3.3.1-9]
    this.send(message, target, retain);
  }

  /** Sends the retained messages that one of its subscriptions matches, as fast as the client reads. */
  deliverRetained(filter: string, now: number): void {
    const { router, store } = this.context;
    const { retained } = router;
    const subscription = router.subscription(this, filter);
    if (subscription === undefined) return;
    const matches = this.receivable(retained.match(filter, now));
    const mayDeliver = (message: Message): boolean => router.mayDeliver(message);
    const feed = new RetainedFeed(matches, retained, store, () => this.drain(), mayDeliver);
    this.feeds ??= [];
    this.feeds.push({ feed, target: singleTarget(subscription) });
    this.drain();
  }

  /** The wire takes more, or a quota was raised. */
  drain(): void {
    const { link } = this;
    if (link === undefined) return;
    this.outgoing?.drain(link);
    const held = this.stored && this.context.store.failure !== undefined; // to it they would have to be stored
    while (this.feeds !== undefined && link.writable && this.queued === 0 && !held) {
      const [first] = this.feeds;
      const message = first?.feed.next();
      if (message !== undefined && first !== undefined) {
        this.send(message, first.target, true); // [MQTT3-3.3.1-8]
        continue;
      }
      if (first?.feed.isOver === false) return; // it calls when it can go on
      this.feeds.shift();
      if (this.feeds.length === 0) this.feeds = undefined;
    }
  }

  get subscriptionCount(): number {
    return this.places.length;
  }

  /** As they are now. */
  get subscriptions(): Subscription[] {
    return this.places.flatMap((place) => place.subscriptionOf(this) ?? []);
  }

  /** Adds or changes a subscription; tells whether it is new. */
  subscribe(filter: string, options: SubscriptionOptions): boolean {
    const { router, store, subscriptions } = this.context;
    const { place, isNew } = router.subscribe(this, filter, options);
    if (isNew) {
      this.places.push(place);
      subscriptions.bytes += bytesOf(filter);
    }
    if (this.stored) store.putSubscription(this.clientId, { filter, ...options });
    return isNew;
  }

  /** Whether there is room, in all, for one more subscription. */
  hasRoomFor(filter: string): boolean {
    return this.context.subscriptions.hasRoom(bytesOf(filter));
  }

  isSubscribed(filter: string): boolean {
    return this.context.router.subscription(this, filter) !== undefined;
  }

  /** False when there was no such subscription. */
  unsubscribe(filter: string): boolean {
    const place = this.context.router.unsubscribe(this, filter);
    if (place === undefined) return false;
    this.places[this.places.indexOf(place)] = this.places.at(-1) as Place;
    this.places.pop();
    this.context.subscriptions.bytes -= bytesOf(filter);
    if (this.stored) this.context.store.deleteSubscription(this.clientId, filter);
    return true;
  }

  /** Holds an incoming QoS 2 message back until PUBREL; returns what is to be delivered already. // [MQTT-4.3.3-10] */
  receive(packetId: number, message: Message): Iterable<Message> {
    const { store, kept } = this.context;
    this.incoming ??= new Incoming(this.limits.max_queued_bytes, kept);
    if (this.stored) message.keep();
    const due = this.incoming.hold(packetId, message);
    if (this.stored) {
      if (due.size === 0) store.putReceived(this.clientId, { packetId, message });
      for (const id of due.keys()) store.putReceived(this.clientId, { packetId: id, message: undefined });
    }
    return due.values();
  }

  /** Whether the messages of an incoming run of QoS 2, of so many bytes, can be held back as one. */
  mayHoldRun(packetIds: readonly number[], bytes: number): boolean {
    if (this.stored) return false;
    this.incoming ??= new Incoming(this.limits.max_queued_bytes, this.context.kept);
    return this.incoming.mayHoldRun(packetIds, bytes);
  }

  /** As {@link receive}, for a run that may be. */
  receiveRun(run: Message): void {
    this.incoming?.holdRun(run);
  }

  /** PUBREL of these, in this order: the run that is held back with those from `at` on, if there is one. */
  releaseRun(packetIds: readonly number[], at: number): Message | undefined {
    return this.incoming?.releaseRun(packetIds, at);
  }

  hasReceived(packetId: number): boolean {
    return this.incoming?.has(packetId) ?? false;
  }

  /** Whether PUBREL has an effect that must be stored. */
  mustStoreRelease(packetId: number): boolean {
    if (!this.hasReceived(packetId)) return false;
    const message = this.incoming?.get(packetId);
    return this.stored || (message !== undefined && this.context.router.mustStore(message));
  }

  /** PUBREL: the identifier is free again. Returns the message, unless it was delivered already. // [MQTT-4.3.3-12] */
  releaseReceived(packetId: number): Message | undefined {
    if (!this.hasReceived(packetId)) return undefined;
    if (this.stored) this.context.store.deleteReceived(this.clientId, packetId);
    return this.incoming?.release(packetId);
  }

  get receivedCount(): number {
    return this.incoming?.size ?? 0;
  }

  /** Up to `limit` messages for the client behind a position, in order, whether they wait or are on their way. */
  async queueBehind(position: number, limit: number): Promise<readonly QueueEntry[]> {
    if (this.stored) return this.context.store.readQueue(this.clientId, position, limit);
    return entriesBehind(this.outgoing?.inMemory() ?? [], position, limit);
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

  /** As {@link Outgoing.acknowledgedTogether}. */
  acknowledgedTogether(type: Awaited, packetIds: readonly number[], at: number): number {
    const count = this.outgoing?.acknowledgedTogether(type, packetIds, at) ?? 0;
    if (count > 0 && this.feeds !== undefined && type !== PacketType.PUBREC) this.drain();
    return count;
  }

  attach(link: Link, rights: Rights, terms: Terms): void {
    this.link = link;
    this.terms = terms;
    this.rights?.forget();
    this.rights = rights;
    this.outgoing?.attach(link);
  }

  detach(): void {
    this.link = undefined;
    this.feeds = undefined;
    if (this.stored) this.places = this.places.concat(); // without the room that it grew by
    this.outgoing?.detach();
  }

  /** Takes up what the store held. */
  restore({ session, subscriptions, queue, received }: RestoredSession): void {
    const { router, store, kept } = this.context;
    this.places = subscriptions.map(({ filter, ...options }) => router.subscribe(this, filter, options).place);
    for (const { filter } of subscriptions) this.context.subscriptions.bytes += bytesOf(filter);
    // A broker that went down with the client connected does not know how far it got.
    const crashed = session.disconnectedAt === undefined;
    const sentUpTo = crashed ? queue.lastPosition : session.sentUpTo;
    if (queue.lastPosition > 0 || crashed)
      this.outgoing = new Outgoing(this, store, kept, { ...queue, sentUpTo, crashed });
    if (received.length === 0) return;
    this.incoming = new Incoming(this.limits.max_queued_bytes, kept);
    for (const { packetId, message } of received)
      this.incoming.restore(packetId, message === undefined ? undefined : Message.restored(message));
  }

  /** Whether the store may have something of it for other members of a shared subscription. */
  get hasShared(): boolean {
    return this.stored && this.outgoing !== undefined && this.places.some(({ filter }) => isSharedFilter(filter));
  }

  /** Changes with every message of QoS 1 or 2 that it is given. */
  get position(): number {
    return this.outgoing?.position ?? 0;
  }

  /** Before it ends: as {@link Outgoing.handOver}. */
  handOver(): Promise<number> {
    return this.outgoing?.handOver(this.give) ?? Promise.resolve(0);
  }

  /** Gives up everything; what it has in memory for other members of shared subscriptions goes to them. */
  end(): void {
    const { router, subscriptions } = this.context;
    for (const { filter } of this.places) {
      router.unsubscribe(this, filter);
      subscriptions.bytes -= bytesOf(filter);
    }
    this.places = [];
    this.outgoing?.giveRest(this.give);
    this.outgoing?.end();
    this.incoming?.end();
    this.rights?.forget();
  }

  private get give(): Give {
    const { router } = this.context;
    return (message, sharedFilter) => router.group(sharedFilter)?.deliver(message, this) ?? false;
  }

  private send(message: Message, target: Target, retain: boolean): void {
    const qos = Math.min(message.qos, target.qos) as QoS; // [MQTT-3.8.4-8]
    const { link } = this;
    if (qos !== 0) {
      if (this.outgoing === undefined) {
        this.outgoing = new Outgoing(this, this.context.store, this.context.kept);
        if (link !== undefined) this.outgoing.attach(link);
      }
      if (message.count > 1) this.outgoing.pushRun(message, qos, target);
      else this.outgoing.push(message, qos, retain, target); // with a connection or without // [MQTT3-3.1.2-5]
      return;
    }
    if (link === undefined) return;
    const { subscriptionIdentifiers } = target;
    // [MQTT-4.3.1-1]
    if (!retain && subscriptionIdentifiers === undefined) link.forward(message);
    else if (!link.publish(message, { qos, retain, dup: false, packetId: 0, subscriptionIdentifiers }))
      this.dropped(message.count, 'too_large');
  }

  /** Those that the client may receive; undefined now and then, where it may not receive many. */
  private *receivable(matches: Iterable<RetainedMatch | undefined>): Generator<RetainedMatch | undefined> {
    let refused = 0;
    for (const match of matches) {
      if (match === undefined || this.mayReceive(match.topic)) yield match;
      else if (++refused % refusedInATurn === 0) yield undefined;
    }
  }
}
