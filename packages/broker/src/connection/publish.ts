import { CodecError, type IncomingPublish, PacketType, ReasonCode } from '@moat/codec';
import { certificateTopics } from '../policy/certificate-topics.js';
import type { Decision } from '../policy/decide.js';
import { Message } from '../routing/message.js';
import type { Agreement } from './agreement.js';
import type { Connection } from './connection.js';
import { IncomingAliases } from './incoming-aliases.js';
import { LimitExceeded } from './limit-exceeded.js';
import { exceededBy } from './topic-limits.js';
import { whenDurable, whenSettled } from './when-durable.js';

/** PUBLISH of the client (MQTT 5.0 §3.3), or a run of them: judged, delivered, acknowledged. */
export function publish(connection: Connection, packet: IncomingPublish): void {
  const agreement = connection.agreement as Agreement;
  if (packet.count > 1 && !fareAlike(connection, agreement, packet)) publishSingly(connection, packet);
  else publishAlike(connection, agreement, packet);
}

/** Whether all messages of a run are judged alike, and those of QoS 1 and 2 accepted, acknowledged at once and not stored. */
function fareAlike(connection: Connection, { rights, session }: Agreement, packet: IncomingPublish): boolean {
  const { topic, qos, retain, packetIds = [] } = packet;
  const { limits, context } = connection;
  if (rights.asksPayload || topic === certificateTopics.request) return false;
  if (qos === 0) return true;
  if (connection.hasPendingAnswers || exceededBy(topic, limits) !== undefined) return false;
  // In this order: no route is worked out for somebody who may not publish.
  if (!rights.mayPublish(topic, qos, retain, packet).allowed) return false;
  if (qos === 1) return !context.router.mustStore(packet);
  const hasQuota = session.receivedCount + packetIds.length <= limits.receive_maximum;
  return hasQuota && context.store.failure === undefined && session.mayHoldRun(packetIds, packet.end - packet.start);
}

/** A run whose messages may fare differently. */
function publishSingly(connection: Connection, packet: IncomingPublish): void {
  for (const single of packet.each()) {
    if (connection.state !== 'connected') return; // one before it was denied
    publishAlike(connection, connection.agreement as Agreement, single);
  }
}

function publishAlike(connection: Connection, agreement: Agreement, packet: IncomingPublish): void {
  const { context } = connection;
  const { qos, packetId } = packet;
  context.counters.messagesReceived += packet.count;
  connection.published += packet.count;
  requireSupported(connection, packet);
  const topic = topicOf(connection, packet);
  if (qos !== 0 && !accountFor(connection, agreement, packet)) return;
  const decision = agreement.rights.mayPublish(topic, qos, packet.retain, packet);
  if (!decision.allowed) {
    agreement.rights.denied('publish', topic, decision, packet.count);
    deny(connection, packet, decision);
    return;
  }
  if (topic === certificateTopics.request) {
    const reasonCode = context.certificates?.take(connection, packet) ?? ReasonCode.implementationSpecificError;
    refuse(connection, packet, reasonCode, 'a request for a certificate');
    return;
  }
  const now = packet.properties?.messageExpiryInterval === undefined ? 0 : Date.now();
  const message = Message.arrived(packet, topic, agreement.clientId, now);
  const shortage = packet.retain ? context.router.retainedShortage(message, agreement.session) : undefined;
  if (shortage !== undefined) {
    connection.hit(shortage);
    connection.auditEvent('limit.retained', `no room for another retained message: ${shortage}`, topic);
    refuse(connection, packet, ReasonCode.quotaExceeded, 'no room for another retained message');
    return;
  }
  if (qos !== 0 && context.store.failure !== undefined && mustStore(connection, agreement, message)) {
    if (connection.v5) refuse(connection, packet, ReasonCode.quotaExceeded, notStored);
    else connection.close(ReasonCode.quotaExceeded, notStored);
    return;
  }
  const before = context.store.staged;
  const reasonCode = take(connection, agreement, message, packet);
  if (qos === 0) return;
  if (context.store.staged === before && !connection.hasPendingAnswers) {
    answerAll(connection, packet, reasonCode);
    return;
  }
  const send = (): void => answerAll(connection, packet, reasonCode);
  whenDurable(connection, before, send, () => storageFailed(connection, agreement, qos, packetId), qos === 1);
}

const notStored = 'the message could not be stored';

function mustStore({ context }: Connection, { session }: Agreement, message: Message): boolean {
  return (message.qos === 2 && session.stored) || context.router.mustStore(message);
}

/** Delivers the message, or holds it back until PUBREL if it is one of QoS 2. */
function take(
  { context }: Connection,
  { session }: Agreement,
  message: Message,
  { packetId, count }: IncomingPublish,
): ReasonCode {
  if (message.qos < 2)
    return context.router.publish(message, session) ? ReasonCode.success : ReasonCode.noMatchingSubscribers;
  if (count > 1) session.receiveRun(message);
  else for (const due of session.receive(packetId, message)) context.router.publish(due, session);
  return ReasonCode.success;
}

/** What CONNACK said that this server does not do. */
function requireSupported({ context }: Connection, { qos, retain }: IncomingPublish): void {
  if (qos > context.limits.max_qos)
    throw new CodecError(ReasonCode.qosNotSupported, 'a QoS above the maximum', 'MQTT-3.2.2-11'); // [MQTT-3.2.2-11]
  if (retain && !context.retainAvailable)
    throw new CodecError(ReasonCode.retainNotSupported, 'retaining is not available', 'MQTT-3.2.2-14'); // [MQTT-3.2.2-14]
}

/** The topic name, by alias where the packet has none. Sets the alias where it has both. */
function topicOf(connection: Connection, packet: IncomingPublish): string {
  const alias = packet.properties?.topicAlias;
  if (alias === undefined) return checkTopic(connection, packet.topic);
  // [MQTT-3.2.2-17] [MQTT-3.2.2-18] [MQTT-3.3.2-9] [MQTT-3.3.2-12]
  if (alias > connection.limits.max_topic_alias)
    throw new LimitExceeded(
      'max_topic_alias',
      ReasonCode.topicAliasInvalid,
      `a topic alias of ${alias}`,
      'MQTT-3.3.2-9',
    );
  connection.incomingAliases ??= new IncomingAliases(connection.context.aliases);
  if (packet.topic !== '') {
    if (!connection.incomingAliases.set(alias, checkTopic(connection, packet.topic)))
      throw new LimitExceeded('max_alias_bytes', ReasonCode.quotaExceeded, 'no room for a topic alias');
    return packet.topic;
  }
  const topic = connection.incomingAliases.topicOf(alias);
  if (topic === undefined) throw new CodecError(ReasonCode.protocolError, `a topic alias ${alias} that was never set`);
  return topic;
}

function checkTopic(connection: Connection, topic: string): string {
  const limit = exceededBy(topic, connection.limits);
  if (limit !== undefined)
    throw new LimitExceeded(limit, ReasonCode.topicNameInvalid, 'a topic name beyond the limits of this server');
  return topic;
}

/**
 * Counts a QoS 1 or 2 message against the receive maximum, and filters out the repetition of a QoS 2 message, which
 * is only acknowledged. // [MQTT-3.3.4-7] [MQTT-4.3.3-10]
 */
function accountFor(connection: Connection, { session }: Agreement, { qos, packetId }: IncomingPublish): boolean {
  // [MQTT-4.3.2-5]
  if (qos === 2 && session.hasReceived(packetId)) {
    const { staged } = connection.context.store;
    whenSettled(connection, staged, () => connection.writeAcknowledgement(PacketType.PUBREC, packetId));
    return false;
  }
  const { receive_maximum, max_queued_messages } = connection.limits;
  const unacknowledged = connection.hasPendingAnswers ? connection.answers.unacknowledged : 0;
  if (connection.v5) {
    if (session.receivedCount + unacknowledged >= receive_maximum)
      throw new LimitExceeded(
        'receive_maximum',
        ReasonCode.receiveMaximumExceeded,
        'more messages in flight than the receive maximum',
      );
    return true;
  }
  // Before 5.0 a client knows of no maximum: it is slowed down, and cut off where that cannot help.
  if (unacknowledged >= receive_maximum) connection.throttle();
  if (qos === 2 && session.receivedCount >= Math.max(receive_maximum, max_queued_messages))
    throw new LimitExceeded(
      'receive_maximum',
      ReasonCode.quotaExceeded,
      'more QoS 2 messages in flight than a session may hold',
    );
  return true;
}

/** PUBACK or PUBREC. // [MQTT-2.2.1-5] [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8] */
function answer(connection: Connection, qos: number, packetId: number, reasonCode: ReasonCode, reason?: string): void {
  if (connection.state !== 'connected') return;
  const type = qos === 1 ? PacketType.PUBACK : PacketType.PUBREC;
  if (reasonCode === ReasonCode.success || !connection.v5) connection.writeAcknowledgement(type, packetId);
  else {
    const properties = reason === undefined ? {} : connection.problem(reason);
    connection.write({ type, packetId, reasonCode, ...('reasonString' in properties ? { properties } : {}) });
  }
}

/** As {@link answer}, each message of a run. */
function answerAll(
  connection: Connection,
  { qos, packetId, packetIds }: IncomingPublish,
  reasonCode: ReasonCode,
): void {
  if (packetIds === undefined) answer(connection, qos, packetId, reasonCode);
  else if (reasonCode !== ReasonCode.success && connection.v5)
    for (const each of packetIds) answer(connection, qos, each, reasonCode);
  else if (connection.state === 'connected')
    connection.writeAcknowledgements(qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packetIds, 0, packetIds.length);
}

/** Not allowed: in the way that the version and the operator want. */
function deny(connection: Connection, packet: IncomingPublish, decision: Decision): void {
  const reason = connection.denial('not authorized to publish', decision);
  if (connection.context.onDeniedPublish === 'disconnect') connection.close(ReasonCode.notAuthorized, reason);
  else refuse(connection, packet, ReasonCode.notAuthorized, reason);
}

/** Acknowledged, with a reason where the version has one, and not delivered. // [MQTT-4.3.3-9] [MQTT3-3.3.5-2] */
function refuse(connection: Connection, packet: IncomingPublish, reasonCode: ReasonCode, reason: string): void {
  const { qos, packetId } = packet;
  if (qos === 0) return;
  // Before 5.0 the client goes on with PUBREL, which is answered whether the identifier is known or not.
  const send = (): void => answer(connection, qos, packetId, reasonCode, reason);
  if (connection.hasPendingAnswers) connection.answers.inTurn(send);
  else send();
}

/** Nothing was promised: 5.0 clients are told, others are disconnected so that they send again (invariant 1). */
function storageFailed(connection: Connection, { session }: Agreement, qos: number, packetId: number): void {
  if (qos === 2) session.releaseReceived(packetId);
  if (connection.v5) answer(connection, qos, packetId, ReasonCode.quotaExceeded, notStored);
  else connection.close(ReasonCode.quotaExceeded, notStored);
}
