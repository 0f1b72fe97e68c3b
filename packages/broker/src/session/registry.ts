import { ReasonCode, type Will } from '@moat/codec';
import type { Accounts } from '../guard/accounts.js';
import { sharedName } from '../routing/level-names.js';
import { Message } from '../routing/message.js';
import type { RestoredSession, SessionRecord } from '../storage/store.js';
import type { TimerWheel } from '../transport/timer-wheel.js';
import type { Link } from './link.js';
import { neverExpires, type Rights, Session, type SessionContext } from './session.js';
import type { Terms } from './terms.js';
import { type WillShortage, Wills } from './wills.js';

/** What a CONNECT asks of the registry. */
export interface OpenRequest {
  readonly clientId: string;
  /** Key of the principal. */
  readonly owner: string;
  /** Whether the operator lets this principal have the session of another, by its key. */
  mayTakeOver(owner: string): boolean;
  readonly cleanStart: boolean;
  /** Seconds. */
  readonly expiryInterval: number;
  readonly will: Will | undefined;
  /** Of the principal. */
  readonly limits: {
    readonly max_sessions_per_user: number;
    readonly max_wills_per_user: number;
    readonly max_will_bytes_per_user: number;
  };
}

/** What is in the way of a session; limits by their names in the configuration. */
export type Refusal = 'not_owner' | 'max_sessions' | 'max_sessions_per_user' | WillShortage | 'not_stored';

export type OpenResult = { readonly session: Session; readonly present: boolean } | { readonly refused: Refusal };

/**
 * Every session by client ID. Decides takeover and resumption, and what becomes of a session whose connection
 * has gone: its will, its expiry.
 *
 * Invariants: one session and one connection for a client ID // [MQTT-3.1.4-3]; a session is resumed, replaced or
 * ended only for its owner (invariant 3); a will is published once at most.
 */
export class SessionRegistry {
  private readonly sessions = new Map<string, Session>();
  /** Sessions that changed while the store took nothing. */
  private readonly unsaved = new Set<Session>();
  /** Restored sessions whose time was over by then: a client may be back before the timer. */
  private readonly overdue = new Set<Session>();
  /** One for all sessions: there may be a million. */
  private readonly whenOver = (session: Session): void => this.expire(session);
  /** Every will that a session has. */
  readonly wills: Wills;
  private connections = 0;
  private most = 0;

  constructor(
    private readonly context: SessionContext,
    private readonly timers: TimerWheel,
    private readonly limits: {
      readonly max_sessions: number;
      readonly max_wills: number;
      readonly max_will_bytes: number;
    },
    private readonly accounts: Accounts,
    /** Publishes a will in the name of its session, if that still may. */
    private readonly publishWill: (session: Session, message: Message) => void,
  ) {
    this.wills = new Wills(limits, accounts);
  }

  get count(): number {
    return this.sessions.size;
  }

  get connected(): number {
    return this.connections;
  }

  /** The most that were connected at once. */
  get mostConnected(): number {
    return this.most;
  }

  all(): IterableIterator<Session> {
    return this.sessions.values();
  }

  get(clientId: string): Session | undefined {
    return this.sessions.get(clientId);
  }

  /**
   * A clean start ends the session of before. If that has messages in the store for other members of shared
   * subscriptions, they have to get them first; undefined when there is nothing to wait for. Resolves when all of it is
   * durable, or with what is in the way.
   */
  giveUp(request: OpenRequest): Promise<Refusal | undefined> | undefined {
    const existing = this.sessions.get(request.clientId);
    if (existing === undefined || this.survives(existing, request) || !existing.hasShared) return undefined;
    if (this.refusal(existing, request) !== undefined) return undefined;
    if (existing.link !== undefined) this.takeOver(existing, false);
    return this.giveUpDurably(existing);
  }

  private async giveUpDurably(session: Session): Promise<Refusal | undefined> {
    const { store } = this.context;
    try {
      await this.handOverAndEnd(session, () => true);
      await store.commit();
      return undefined;
    } catch (error) {
      const isThere = this.sessions.get(session.clientId) === session && session.link === undefined;
      if (isThere && session.expiryTimer === undefined) this.scheduleExpiry(session); // its connection is gone all the same
      if (store.failure === undefined) throw error;
      return 'not_stored';
    }
  }

  /**
   * Finds or makes the session of an accepted CONNECT, behind {@link giveUp}; a connection that holds it is told and
   * closed.
   */
  open(request: OpenRequest): OpenResult {
    const existing = this.sessions.get(request.clientId); // [MQTT-3.1.3-2]
    const refused = this.refusal(existing, request);
    if (refused !== undefined) return { refused };
    if (existing !== undefined) {
      const stays = this.survives(existing, request);
      if (existing.link !== undefined) this.takeOver(existing, stays);
      if (stays) return { session: this.resume(existing, request), present: true }; // [MQTT-3.1.2-5] [MQTT3-3.1.2-4]
      if (this.sessions.get(request.clientId) === existing) this.end(existing); // [MQTT-3.1.2-4]
    }
    const session = new Session(request.clientId, request.owner, request.expiryInterval, this.context); // [MQTT-3.1.2-6]
    this.sessions.set(request.clientId, session);
    this.note(session.owner, 1);
    this.wills.set(session, request.will);
    this.save(session);
    return { session, present: false };
  }

  /** The store takes again what it could not. */
  storeRecovered(): void {
    const unsaved = [...this.unsaved];
    this.unsaved.clear();
    for (const session of unsaved) if (this.sessions.get(session.clientId) === session) this.save(session);
  }

  /** A connection begins to serve the session. */
  attach(session: Session, link: Link, rights: Rights, terms: Terms): void {
    this.connections++;
    this.most = Math.max(this.most, this.connections);
    session.attach(link, rights, terms);
  }

  /** The connection is gone. `sendWill` unless the client said goodbye. */
  disconnected(session: Session, link: Link, sendWill: boolean): void {
    if (session.link !== link) return; // another connection has taken over
    this.connections--;
    session.detach();
    if (sendWill) this.scheduleWill(session);
    else this.wills.set(session, undefined); // [MQTT-3.14.4-3] [MQTT3-3.14.4-3]
    this.scheduleExpiry(session);
  }

  /** DISCONNECT may shorten or lengthen what CONNECT asked for, in seconds. */
  changeExpiry(session: Session, expiryInterval: number): void {
    session.expiryInterval = expiryInterval;
  }

  /** Ends a session for good: nothing of it stays. */
  end(session: Session): void {
    session.expiryTimer?.cancel();
    session.willTimer?.cancel();
    if (this.sessions.delete(session.clientId)) this.note(session.owner, -1);
    this.overdue.delete(session);
    session.end();
    if (session.stored) this.context.store.deleteSession(session.clientId);
    this.fireWill(session); // the end of the session is the latest moment for a delayed will
  }

  /** Ends a session because the operator says so, connected or not. Rejects when the store fails. */
  async remove(session: Session): Promise<void> {
    session.link?.close(ReasonCode.administrativeAction, 'the session was deleted');
    // Its connection may have ended it.
    if (this.sessions.get(session.clientId) !== session) return;
    if (!session.hasShared) return this.end(session);
    await this.handOverAndEnd(session, () => true);
    await this.remove(session); // its client may have come back
  }

  /** Takes up a session that the store kept. */
  restore(restored: RestoredSession, now: number): void {
    const { session: record } = restored;
    const clientId = sharedName(record.clientId); // devices mostly have a topic level of their name
    const session = new Session(clientId, record.owner, record.expiryInterval, this.context, true);
    session.restore(restored);
    session.disconnectedAt = record.disconnectedAt ?? now;
    this.wills.set(session, record.will);
    this.sessions.set(clientId, session);
    this.note(session.owner, 1);
    if (record.disconnectedAt === undefined) this.save(session);
    const away = (now - session.disconnectedAt) / 1000;
    // Nothing happens before all sessions are there, so that none misses a will.
    this.delayWill(session, Math.max(0, willDelay(session) - away));
    this.delayEnd(session, Math.max(0, session.expiryInterval - away));
  }

  /** Whether a request goes on with the session that there is. // [MQTT-3.1.4-4] [MQTT3-3.1.4-3] */
  private survives(session: Session, { cleanStart }: OpenRequest): boolean {
    return session.expiryInterval > 0 && !cleanStart && !this.overdue.has(session); // [MQTT-3.1.2-23]
  }

  private resume(session: Session, { owner, expiryInterval, will }: OpenRequest): Session {
    this.settleWill(session);
    session.expiryTimer?.cancel();
    session.expiryTimer = undefined;
    session.disconnectedAt = undefined;
    this.wills.set(session, undefined);
    if (session.owner !== owner) {
      this.note(session.owner, -1);
      this.note(owner, 1);
    }
    session.owner = owner;
    session.expiryInterval = expiryInterval;
    this.wills.set(session, will);
    this.save(session);
    return session;
  }

  /** The client is back: a will whose delay is over is published, though its timer has yet to say so; others are not. */
  private settleWill(session: Session): void {
    const { willTimer, disconnectedAt = 0 } = session;
    if (willTimer === undefined) return;
    willTimer.cancel(); // [MQTT-3.1.3-9]
    session.willTimer = undefined;
    if (Date.now() - disconnectedAt >= willDelay(session) * 1000) this.fireWill(session); // [MQTT-3.1.2-8]
  }

  private takeOver(session: Session, survives: boolean): void {
    const { link } = session;
    this.connections--;
    session.detach();
    // The new connection comes before any delay is over, so a delayed will of a surviving session is not sent.
    const delayed = survives && (session.will?.properties?.willDelayInterval ?? 0) > 0;
    if (delayed) this.wills.set(session, undefined);
    else this.fireWill(session);
    link?.close(ReasonCode.sessionTakenOver, 'another connection uses this client identifier'); // [MQTT-3.1.4-3] [MQTT3-3.1.4-2]
  }

  private scheduleWill(session: Session): void {
    const delay = willDelay(session);
    if (delay === 0)
      this.fireWill(session); // [MQTT-3.1.2-8]
    else this.delayWill(session, delay);
  }

  private delayWill(session: Session, seconds: number): void {
    if (session.will === undefined) return;
    session.willTimer = this.timers.after(seconds * 1000, () => this.fireWill(session));
  }

  /** Only what has no connection comes to an end. // [MQTT-4.1.0-1] [MQTT-4.1.0-2] [MQTT3-4.1.0-1] */
  private scheduleExpiry(session: Session): void {
    session.disconnectedAt = Date.now();
    if (session.expiryInterval === 0) return this.expire(session); // [MQTT-3.1.2-23]
    this.save(session);
    this.delayEnd(session, session.expiryInterval);
  }

  private delayEnd(session: Session, seconds: number): void {
    if (session.expiryInterval === neverExpires) return;
    if (seconds === 0) this.overdue.add(session);
    session.expiryTimer = this.timers.afterWith(seconds * 1000, this.whenOver, session);
  }

  /** The time of a session is over. */
  private expire(session: Session): void {
    if (this.mustWait(session)) return this.delayEnd(session, retryDelay);
    if (!session.hasShared) return this.end(session);
    const { expiryTimer } = session;
    const isOver = (): boolean => session.expiryTimer === expiryTimer; // its client has not been back
    this.handOverAndEnd(session, isOver).catch(() => {
      if (isOver()) this.delayEnd(session, retryDelay);
    });
  }

  /**
   * Gives what a session has in the store for other members of shared subscriptions to them, and ends it behind the last
   * of that, unless its client is back or it `isWanted` no more. A session that a crash finds on the way has still what
   * was not given.
   */
  private async handOverAndEnd(session: Session, isWanted: () => boolean): Promise<void> {
    for (let upTo = -1; upTo !== session.position; ) {
      upTo = await session.handOver();
      const { failure } = this.context.store;
      if (failure !== undefined) throw failure;
      if (session.link !== undefined || this.sessions.get(session.clientId) !== session || !isWanted()) return;
    }
    this.end(session);
  }

  private countOf(owner: string): number {
    return this.accounts.get(owner)?.sessions ?? 0;
  }

  private note(owner: string, change: 1 | -1): void {
    const account = this.accounts.of(owner);
    account.sessions += change;
    this.accounts.settle(account);
  }

  private refusal(existing: Session | undefined, request: OpenRequest): Refusal | undefined {
    if (existing !== undefined && existing.owner !== request.owner && !request.mayTakeOver(existing.owner))
      return 'not_owner';
    if (existing === undefined && this.sessions.size >= this.limits.max_sessions) return 'max_sessions';
    if (existing?.owner !== request.owner && this.countOf(request.owner) >= request.limits.max_sessions_per_user)
      return 'max_sessions_per_user';
    const shortage = this.wills.shortage(existing, request);
    if (shortage !== undefined) return shortage;
    return this.context.store.failure !== undefined && this.mustStore(existing, request) ? 'not_stored' : undefined;
  }

  /** Whether a request changes what a store holds; that its client is there can be written down later. */
  private mustStore(existing: Session | undefined, request: OpenRequest): boolean {
    const { expiryInterval, will } = request;
    if (!existing?.stored) return expiryInterval > 0;
    if (!this.survives(existing, request) || expiryInterval !== existing.expiryInterval) return true;
    return will !== undefined || existing.will !== undefined;
  }

  /** While nothing can be stored, what has to be waits. */
  private mustWait({ stored }: Session): boolean {
    return stored && this.context.store.failure !== undefined;
  }

  private fireWill(session: Session): void {
    const { will } = session;
    session.willTimer = undefined;
    if (will === undefined) return;
    if (this.mustWait(session)) return this.delayWill(session, retryDelay);
    this.wills.set(session, undefined); // [MQTT-3.1.2-10] [MQTT3-3.1.2-10]
    this.context.counters.wills++;
    this.publishWill(session, willMessage(will, session.clientId));
    if (this.sessions.has(session.clientId)) this.save(session);
  }

  private save(session: Session): void {
    if (!session.stored) return;
    if (this.mustWait(session)) {
      this.unsaved.add(session);
      return;
    }
    const { clientId, owner, expiryInterval, disconnectedAt, will, sentUpTo } = session;
    const record: SessionRecord = { clientId, owner, expiryInterval, disconnectedAt, will, sentUpTo };
    this.context.store.putSession(record);
  }
}

/** Seconds after which is tried again what the store did not take. */
const retryDelay = 1;

/** Seconds from the end of the connection to the will: no longer than the session lives. */
function willDelay({ will, expiryInterval }: Session): number {
  return Math.min(will?.properties?.willDelayInterval ?? 0, expiryInterval);
}

function willMessage(will: Will, publisher: string): Message {
  const { willDelayInterval: _delay, messageExpiryInterval, ...properties } = will.properties ?? {};
  return Message.of(will.topic, will.payload, {
    qos: will.qos,
    retain: will.retain, // [MQTT-3.1.2-14] [MQTT-3.1.2-15]
    properties,
    publisher,
    ...(messageExpiryInterval === undefined ? {} : { expiresAt: Date.now() + messageExpiryInterval * 1000 }),
  });
}
