import {
  isSharedFilter,
  PacketType,
  parseSharedFilter,
  ReasonCode,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from '@moat/codec';
import type { Subscription } from '../routing/subscription.js';
import type { Agreement, Connection } from './connection.js';
import { hasMoreLevels, isTooLong } from './topic-limits.js';
import { whenDurable } from './when-durable.js';

/** A filter that was granted. */
interface Granted {
  readonly subscription: Subscription;
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
  if (session.stored && store.failure !== undefined)
    return connection.answers.inTurn(() => answerUnstored(connection, packet));
  const before = store.staged;
  const identifier = packet.properties?.subscriptionIdentifiers?.[0] ?? 0;
  const granted: Granted[] = [];
  const reasonCodes = packet.subscriptions.map((request) => subscribeTo(connection, request, identifier, granted));
  const good = (): void => {
    if (connection.state !== 'connected') return;
    answerSubscribe(connection, packet, reasonCodes); // before what is retained // [MQTT-3.8.4-1]
    for (const { subscription, wantsRetained } of granted)
      if (wantsRetained) session.deliverRetained(subscription, Date.now());
  };
  const bad = (): void => {
    for (const { subscription, isNew } of granted) if (isNew) session.unsubscribe(subscription.filter);
    if (connection.state === 'connected') answerUnstored(connection, packet);
  };
  whenDurable(connection, before, good, bad);
}

/** Nothing can be stored: no filter is granted. */
function answerUnstored(connection: Connection, packet: SubscribePacket): void {
  const failed = failure(connection, ReasonCode.quotaExceeded);
  answerSubscribe(
    connection,
    packet,
    packet.subscriptions.map(() => failed),
  );
}

function answerSubscribe(connection: Connection, { packetId }: SubscribePacket, reasonCodes: ReasonCode[]): void {
  const refused = reasonCodes.find((reasonCode) => reasonCode >= ReasonCode.unspecifiedError);
  connection.write({
    type: PacketType.SUBACK,
    packetId, // [MQTT-3.8.4-2] [MQTT-2.2.1-6]
    reasonCodes, // [MQTT-3.9.3-1]
    ...(refused === undefined ? {} : { properties: connection.problem(refusalOf(refused)) }),
  });
}

/**
 * UNSUBSCRIBE (MQTT 5.0 §3.10): answered whether or not there was anything to remove. // [MQTT-3.10.4-4] [MQTT-3.10.4-5]
 * [MQTT-3.10.4-6] [MQTT3-3.10.4-4] [MQTT3-3.10.4-5]
 */
export function unsubscribe(connection: Connection, packet: UnsubscribePacket): void {
  const { store } = connection.context;
  const { session } = connection.agreement as Agreement;
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

/** The one code that there is before 5.0. // [MQTT3-3.9.3-2] */
function failure({ v5 }: Connection, reasonCode: ReasonCode): ReasonCode {
  return v5 ? reasonCode : ReasonCode.unspecifiedError;
}

/** What a refused filter is told in words. */
function refusalOf(reasonCode: ReasonCode): string {
  if (reasonCode === ReasonCode.notAuthorized) return 'not authorized to subscribe';
  return reasonCode === ReasonCode.quotaExceeded
    ? 'no room for another subscription, or no way to store it'
    : 'a topic filter beyond the limits';
}

function subscribeTo(
  connection: Connection,
  request: SubscriptionRequest,
  identifier: number,
  granted: Granted[],
): ReasonCode {
  const { filter, qos } = request;
  const { session } = connection.agreement as Agreement;
  const refusal = refuse(connection, request);
  if (refusal !== undefined) return failure(connection, refusal);
  const { subscription, isNew } = session.subscribe(filter, { ...request, identifier });
  // [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4] [MQTT3-3.8.4-3]
  const wantsRetained =
    !isSharedFilter(filter) && (request.retainHandling === 0 || (request.retainHandling === 1 && isNew));
  granted.push({ subscription, isNew, wantsRetained });
  return qos as ReasonCode; // whatever may be published // [MQTT-3.2.2-10]
}

function refuse(connection: Connection, { filter, qos }: SubscriptionRequest): ReasonCode | undefined {
  const { limits } = connection.context;
  const { session, rights } = connection.agreement as Agreement;
  const inner = parseSharedFilter(filter)?.filter ?? filter;
  if (isTooLong(filter, limits.max_topic_length) || hasMoreLevels(inner, limits.max_topic_levels))
    return ReasonCode.topicFilterInvalid;
  const decision = rights.maySubscribe(filter, qos);
  if (!decision.allowed) {
    rights.audit('subscribe', filter, decision.rule);
    return ReasonCode.notAuthorized;
  }
  if (session.subscriptions.length < limits.max_subscriptions) return undefined;
  if (session.isSubscribed(filter)) return undefined;
  connection.auditEvent('limit.subscriptions', 'no room for another subscription', filter);
  return ReasonCode.quotaExceeded;
}
