import { ReasonCode, type Will } from '@moat/codec';
import { Message } from '../routing/message.js';
import type { RestoredSession, SessionRecord } from '../storage/store.js';
import type { TimerWheel } from '../transport/timer-wheel.js';
import type { Link } from './link.js';
import type { Leftover } from './outgoing.js';
import { neverExpires, type Rights, Session, type SessionContext } from './session.js';

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
}

export type OpenResult =
  | { readonly session: Session; readonly present: boolean }
  | { readonly refused: 'not_owner' | 'too_many_sessions' | 'not_stored' };

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
  private connections = 0;
  private most = 0;

  constructor(
    private readonly context: SessionContext,
    private readonly timers: TimerWheel,
    private readonly limits: { readonly max_sessions: number },
    /** Publishes a will in the name of its session, if that still may. */
    private readonly publishWill: (session: Session, message: Message) => void,
  ) {}

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

  /** Finds or makes the session of an accepted CONNECT; a connection that holds it is told and closed. */
  open(request: OpenRequest): OpenResult {
    const existing = this.sessions.get(request.clientId); // [MQTT-3.1.3-2]
    if (existing !== undefined && existing.owner !== request.owner && !request.mayTakeOver(existing.owner))
      return { refused: 'not_owner' };
    if (existing === undefined && this.sessions.size >= this.limits.max_sessions)
      return { refused: 'too_many_sessions' };
    if (this.context.store.failure !== undefined && mustStore(existing, request)) return { refused: 'not_stored' };
    if (existing !== undefined) {
      const survives = existing.expiryInterval > 0 && !request.cleanStart; // [MQTT-3.1.4-4] [MQTT3-3.1.4-3]
      if (existing.link !== undefined) this.takeOver(existing, survives);
      if (survives) return { session: this.resume(existing, request), present: true }; // [MQTT-3.1.2-5] [MQTT3-3.1.2-4]
      if (this.sessions.get(request.clientId) === existing) this.end(existing); // [MQTT-3.1.2-4]
    }
    const session = new Session(request.clientId, request.owner, request.expiryInterval, this.context); // [MQTT-3.1.2-6]
    this.sessions.set(request.clientId, session);
    session.will = request.will;
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
  attach(session: Session, link: Link, rights: Rights): void {
    this.connections++;
    this.most = Math.max(this.most, this.connections);
    session.attach(link, rights);
  }

  /** The connection is gone. `sendWill` unless the client said goodbye. */
  disconnected(session: Session, link: Link, sendWill: boolean): void {
    if (session.link !== link) return; // another connection has taken over
    this.connections--;
    session.detach();
    if (sendWill) this.scheduleWill(session);
    else session.will = undefined; // [MQTT-3.14.4-3] [MQTT3-3.14.4-3]
    this.scheduleExpiry(session);
  }

  /** DISCONNECT may shorten or lengthen what CONNECT asked for, in seconds. */
  changeExpiry(session: Session, expiryInterval: number): void {
    session.expiryInterval = expiryInterval;
  }

  /** Ends a session for good: nothing of it stays, but what is `left` for other members of shared subscriptions. */
  end(session: Session, left?: readonly Leftover[]): void {
    session.expiryTimer?.cancel();
    session.willTimer?.cancel();
    this.sessions.delete(session.clientId);
    session.end(left);
    if (session.stored) this.context.store.deleteSession(session.clientId);
    this.fireWill(session); // the end of the session is the latest moment for a delayed will
  }

  /** Ends a session because the operator says so, connected or not. */
  remove(session: Session): void {
    session.link?.close(ReasonCode.administrativeAction, 'the session was deleted');
    // Its connection may have ended it.
    if (this.sessions.get(session.clientId) === session) this.end(session);
  }

  /** Takes up a session that the store kept. */
  restore(restored: RestoredSession, now: number): void {
    const { session: record } = restored;
    const session = new Session(record.clientId, record.owner, record.expiryInterval, this.context, true);
    session.restore(restored);
    session.disconnectedAt = record.disconnectedAt ?? now;
    session.will = record.will;
    this.sessions.set(record.clientId, session);
    if (record.disconnectedAt === undefined) this.save(session);
    const away = (now - session.disconnectedAt) / 1000;
    // Nothing happens before all sessions are there, so that none misses a will.
    this.delayWill(session, Math.max(0, willDelay(session) - away));
    this.delayEnd(session, Math.max(0, session.expiryInterval - away));
  }

  private resume(session: Session, { owner, expiryInterval, will }: OpenRequest): Session {
    this.settleWill(session);
    session.expiryTimer?.cancel();
    session.expiryTimer = undefined;
    session.disconnectedAt = undefined;
    session.owner = owner;
    session.expiryInterval = expiryInterval;
    session.will = will;
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
    if (delayed) session.will = undefined;
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
    session.expiryTimer = this.timers.after(seconds * 1000, () => this.expire(session));
  }

  /**
   * The time of a session is over. What it has for other members of shared subscriptions is read first, and goes to them
   * in the turn in which the session ends: no crash comes between.
   */
  private expire(session: Session): void {
    if (this.mustWait(session)) return this.delayEnd(session, retryDelay);
    if (!session.stored || !session.hasShared) return this.end(session);
    const { expiryTimer, position } = session;
    const again = (): void => this.delayEnd(session, retryDelay);
    session.leftovers().then((left) => {
      // Its client is back, or another session has its place.
      if (session.expiryTimer !== expiryTimer || this.sessions.get(session.clientId) !== session) return;
      if (session.position !== position || this.mustWait(session)) again();
      else this.end(session, left);
    }, again);
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
    session.will = undefined; // [MQTT-3.1.2-10] [MQTT3-3.1.2-10]
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

/** Whether a request changes what a store holds; that its client is there can be written down later. */
function mustStore(existing: Session | undefined, { cleanStart, expiryInterval, will }: OpenRequest): boolean {
  if (!existing?.stored) return expiryInterval > 0;
  return cleanStart || expiryInterval !== existing.expiryInterval || will !== undefined || existing.will !== undefined;
}

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
