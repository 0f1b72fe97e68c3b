import {
  isSharedFilter,
  PacketType,
  parseSharedFilter,
  ReasonCode,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from '@moat/codec';
import type { LimitName } from '../config/profiles.js';
import type { Agreement } from './agreement.js';
import type { Connection } from './connection.js';
import { exceededBy } from './topic-limits.js';
import { whenDurable } from './when-durable.js';

/** Why a filter was not. */
interface Refusal {
  readonly reasonCode: ReasonCode;
  readonly reason: string;
}

/** A filter that was granted. */
interface Granted {
  readonly filter: string;
  readonly isNew: boolean;
  readonly wantsRetained: boolean;
}

/**
 * SUBSCRIBE (MQTT 5.0 §3.8): every filter is judged on its own, and answered in order. // [MQTT-3.8.4-5] [MQTT-3.8.4-6]
 * [MQTT-3.8.4-7] [MQTT3-3.8.4-5]
 */
export function subscribe(connection: Connection, packet: SubscribePacket): void {
  const { store } = connection.context;
  const { session } = connection.agreement as Agreement;
  connection.subscribed += packet.subscriptions.length;
  if (session.stored && store.failure !== undefined)
    return connection.answers.inTurn(() => answerUnstored(connection, packet));
  const before = store.staged;
  const identifier = packet.properties?.subscriptionIdentifiers?.[0] ?? 0;
  const granted: Granted[] = [];
  const refused: Refusal[] = [];
  const reasonCodes = packet.subscriptions.map((request) => {
    const outcome = subscribeTo(connection, request, identifier);
    if ('reason' in outcome) refused.push(outcome);
    else granted.push(outcome);
    return 'reason' in outcome ? outcome.reasonCode : (request.qos as ReasonCode); // whatever may be published // [MQTT-3.2.2-10]
  });
  const good = (): void => {
    if (connection.state !== 'connected') return;
    answerSubscribe(connection, packet, reasonCodes, refused[0]?.reason); // before what is retained // [MQTT-3.8.4-1]
    for (const { filter, wantsRetained } of granted) if (wantsRetained) session.deliverRetained(filter, Date.now());
  };
  const bad = (): void => {
    for (const { filter, isNew } of granted) if (isNew) session.unsubscribe(filter);
    if (connection.state === 'connected') answerUnstored(connection, packet);
  };
  whenDurable(connection, before, good, bad);
}

/** Nothing can be stored: no filter is granted. */
function answerUnstored(connection: Connection, packet: SubscribePacket): void {
  const { reasonCode, reason } = noRoom(connection, 'no way to store a subscription');
  const codes = packet.subscriptions.map(() => reasonCode);
  answerSubscribe(connection, packet, codes, reason);
}

/** @param refusal why the first filter that was refused was */
function answerSubscribe(
  connection: Connection,
  { packetId }: SubscribePacket,
  reasonCodes: ReasonCode[],
  refusal: string | undefined,
): void {
  connection.write({
    type: PacketType.SUBACK,
    packetId, // [MQTT-3.8.4-2] [MQTT-2.2.1-6]
    reasonCodes, // [MQTT-3.9.3-1]
    ...(refusal === undefined ? {} : { properties: connection.problem(refusal) }),
  });
}

/**
 * UNSUBSCRIBE (MQTT 5.0 §3.10): answered whether or not there was anything to remove. // [MQTT-3.10.4-4] [MQTT-3.10.4-5]
 * [MQTT-3.10.4-6] [MQTT3-3.10.4-4] [MQTT3-3.10.4-5]
 */
export function unsubscribe(connection: Connection, packet: UnsubscribePacket): void {
  const { store } = connection.context;
  const { session } = connection.agreement as Agreement;
  connection.subscribed += packet.filters.length;
  // Before 5.0 UNSUBACK cannot say no.
  const bad = (): void => {
    if (!connection.v5) connection.close(ReasonCode.quotaExceeded, 'the end of a subscription could not be stored');
    else
      answerUnsubscribe(
        connection,
        packet,
        packet.filters.map(() => ReasonCode.unspecifiedError),
      );
  };
  if (session.stored && store.failure !== undefined) return connection.answers.inTurn(bad);
  const before = store.staged;
  const reasonCodes = packet.filters.map(
    (filter) => (session.unsubscribe(filter) ? ReasonCode.success : ReasonCode.noSubscriptionExisted), // [MQTT-3.10.4-2] [MQTT-3.10.4-3]
  );
  whenDurable(connection, before, () => answerUnsubscribe(connection, packet, reasonCodes), bad);
}

function answerUnsubscribe(connection: Connection, { packetId }: UnsubscribePacket, reasonCodes: ReasonCode[]): void {
  if (connection.state !== 'connected') return;
  connection.write({ type: PacketType.UNSUBACK, packetId, reasonCodes }); // [MQTT-3.11.3-1] [MQTT-2.2.1-6]
}

/** Before 5.0 there is one code only. // [MQTT3-3.9.3-2] */
function refusal({ v5 }: Connection, reasonCode: ReasonCode, reason: string): Refusal {
  return { reasonCode: v5 ? reasonCode : ReasonCode.unspecifiedError, reason };
}

function noRoom(connection: Connection, reason = 'no room for another subscription'): Refusal {
  return refusal(connection, ReasonCode.quotaExceeded, reason);
}

function subscribeTo(connection: Connection, request: SubscriptionRequest, identifier: number): Granted | Refusal {
  const { filter } = request;
  const { session } = connection.agreement as Agreement;
  const refused = refuse(connection, request);
  if (refused !== undefined) return refused;
  const isNew = session.subscribe(filter, { ...request, identifier });
  // [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4] [MQTT3-3.8.4-3]
  const wantsRetained =
    !isSharedFilter(filter) && (request.retainHandling === 0 || (request.retainHandling === 1 && isNew));
  return { filter, isNew, wantsRetained };
}

function refuse(connection: Connection, { filter, qos }: SubscriptionRequest): Refusal | undefined {
  const { onDeniedSubscribe } = connection.context;
  const { session, rights } = connection.agreement as Agreement;
  const inner = parseSharedFilter(filter)?.filter ?? filter;
  const beyond = exceededBy(filter, connection.limits, inner);
  if (beyond !== undefined) {
    meet(connection, beyond, filter);
    return refusal(connection, ReasonCode.topicFilterInvalid, 'a topic filter beyond the limits');
  }
  const decision = rights.maySubscribe(filter, qos);
  if (!decision.allowed) {
    rights.denied('subscribe', filter, decision);
    if (onDeniedSubscribe === 'unspecified') return refusal(connection, ReasonCode.unspecifiedError, 'refused');
    const reason = connection.denial('not authorized to subscribe', decision);
    return refusal(connection, ReasonCode.notAuthorized, reason);
  }
  const full = session.isSubscribed(filter) ? undefined : shortage(connection, filter);
  if (full === undefined) return undefined;
  meet(connection, full, filter);
  return noRoom(connection);
}

const kinds = [
  [(filter: string) => /[+#]/.test(filter), 'max_wildcard_subscriptions'],
  [isSharedFilter, 'max_shared_subscriptions'],
] as const;

/** What leaves no room: the number of subscriptions, or of those of its kind, or what those of all clients take. */
function shortage(connection: Connection, filter: string): LimitName | undefined {
  const { limits } = connection;
  const { session } = connection.agreement as Agreement;
  if (session.subscriptionCount >= limits.max_subscriptions) return 'max_subscriptions';
  const full = kinds.find(([isOne, limit]) => {
    const most = limits[limit];
    if (!isOne(filter) || session.subscriptionCount < most) return false;
    return session.subscriptions.filter((each) => isOne(each.filter)).length >= most;
  });
  return full?.[1] ?? (session.hasRoomFor(filter) ? undefined : 'max_subscription_bytes');
}

function meet(connection: Connection, limit: LimitName, filter: string): void {
  connection.hit(limit);
  connection.auditEvent('limit.subscriptions', `beyond ${limit}`, filter);
}
