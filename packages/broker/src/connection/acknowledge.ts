import { type AcknowledgementType, PacketType, ReasonCode } from '@moat/codec';
import type { Message } from '../routing/message.js';
import type { Agreement } from './agreement.js';
import type { Connection } from './connection.js';
import { unstored, whenSettled } from './when-durable.js';

/** PUBACK, PUBREC, PUBREL and PUBCOMP of the client (MQTT 5.0 §3.4 to §3.7). */
export function acknowledge(
  connection: Connection,
  type: AcknowledgementType,
  packetId: number,
  reasonCode: ReasonCode,
): void {
  const { session } = connection.agreement as Agreement;
  switch (type) {
    case PacketType.PUBACK:
      session.acknowledged(packetId, 1); // whatever it says of the message // [MQTT-4.3.2-1] [MQTT-4.8.2-6]
      return;
    case PacketType.PUBREC:
      if (reasonCode >= ReasonCode.unspecifiedError)
        session.acknowledged(packetId, 2); // [MQTT-4.8.2-6]
      else received(connection, packetId);
      return;
    case PacketType.PUBREL:
      release(connection, packetId);
      return;
    case PacketType.PUBCOMP:
      session.completed(packetId);
      return;
  }
}

/** Several of a type, in order, with success. */
export function acknowledgeAll(connection: Connection, type: AcknowledgementType, packetIds: readonly number[]): void {
  for (let at = 0, together = 0; at < packetIds.length; at += Math.max(together, 1)) {
    if (connection.state !== 'connected') return; // by one before
    together =
      type === PacketType.PUBREL
        ? releaseTogether(connection, packetIds, at)
        : acknowledgeTogether(connection, type, packetIds, at);
    if (together === 0) acknowledge(connection, type, packetIds[at] as number, ReasonCode.success);
  }
}

/** Those from `at` on that belong to messages that have left one behind the other. How many they are. */
function acknowledgeTogether(
  connection: Connection,
  type: Exclude<AcknowledgementType, typeof PacketType.PUBREL>,
  packetIds: readonly number[],
  at: number,
): number {
  const { session } = connection.agreement as Agreement;
  const before = connection.context.store.staged;
  const count = session.acknowledgedTogether(type, packetIds, at);
  if (count > 0 && type === PacketType.PUBREC)
    whenSettled(connection, before, () => answerAll(connection, PacketType.PUBREL, packetIds, at, at + count));
  return count;
}

/** PUBREC: PUBREL goes out once it is durable that the message must not be sent again. // [MQTT-4.3.3-4] [MQTT-4.3.3-6] [MQTT-4.6.0-4] */
function received(connection: Connection, packetId: number): void {
  const { session } = connection.agreement as Agreement;
  const before = connection.context.store.staged;
  const known = session.received(packetId);
  whenSettled(connection, before, () => answer(connection, PacketType.PUBREL, packetId, known));
}

/** PUBREL: the message goes its way, the identifier is free, and PUBCOMP says so once that is durable. // [MQTT-4.3.3-11] */
function release(connection: Connection, packetId: number): void {
  const { session } = connection.agreement as Agreement;
  const { store } = connection.context;
  if (store.failure !== undefined && session.mustStoreRelease(packetId)) return unstored(connection);
  const before = store.staged;
  const known = session.hasReceived(packetId);
  const message = session.releaseReceived(packetId);
  if (message !== undefined) deliver(connection, message);
  whenSettled(connection, before, () => answer(connection, PacketType.PUBCOMP, packetId, known));
}

/** PUBREL of all messages of a run that is held back as one, from `at` on: it goes its way as one. How many they are. */
function releaseTogether(connection: Connection, packetIds: readonly number[], at: number): number {
  const { session, rights } = connection.agreement as Agreement;
  const { store } = connection.context;
  if (store.failure !== undefined || rights.asksPayload) return 0;
  const before = store.staged;
  const run = session.releaseRun(packetIds, at);
  if (run === undefined) return 0;
  deliver(connection, run);
  whenSettled(connection, before, () => answerAll(connection, PacketType.PUBCOMP, run.packetIds, 0, run.count));
  return run.count;
}

/** A message that expired while it awaited PUBREL goes nowhere; it is acknowledged all the same. // [MQTT-4.3.3-13] */
function deliver({ context, agreement }: Connection, message: Message): void {
  const { session, rights } = agreement as Agreement;
  if (message.hasExpired) return session.dropped(1, 'expired'); // [MQTT-3.3.2-5]
  // Judged at PUBLISH, and again now: the right may have gone meanwhile.
  const decision = rights.mayPublish(message.topic, message.qos, message.retain, message);
  if (decision.allowed) context.router.publish(message, session);
  else rights.denied('publish', message.topic, decision, message.count);
}

/** PUBREL or PUBCOMP of identifiers that were in use. */
function answerAll(
  connection: Connection,
  type: typeof PacketType.PUBREL | typeof PacketType.PUBCOMP,
  packetIds: readonly number[],
  start: number,
  end: number,
): void {
  if (connection.state === 'connected') connection.writeAcknowledgements(type, packetIds, start, end);
}

/** PUBREL or PUBCOMP; 5.0 clients learn that the identifier was not in use. */
function answer(
  connection: Connection,
  type: typeof PacketType.PUBREL | typeof PacketType.PUBCOMP,
  packetId: number,
  known: boolean,
): void {
  if (connection.state !== 'connected') return;
  if (known || !connection.v5) connection.writeAcknowledgement(type, packetId);
  else connection.write({ type, packetId, reasonCode: ReasonCode.packetIdentifierNotFound });
}
