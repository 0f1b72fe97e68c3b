import { requireReasonCode } from '../allowed-reason-codes.js';
import { CodecError } from '../error.js';
import type {
  SubackPacket,
  SubscribePacket,
  SubscriptionRequest,
  UnsubackPacket,
  UnsubscribePacket,
} from '../packet.js';
import { PacketType, type ProtocolVersion } from '../packet-type.js';
import { ReasonCode } from '../reason-code.js';
import { isSharedFilter, requireTopicFilter } from '../topic.js';
import { writeProperties } from './properties.js';
import { requireInteger, requirePacketId, type Writer } from './writer.js';

export function encodeSubscribe(writer: Writer, packet: SubscribePacket, version: ProtocolVersion): Uint8Array {
  const { subscriptions, properties } = packet;
  requireSome(subscriptions, 'MQTT-3.8.3-2'); // [MQTT-3.8.3-2] [MQTT3-3.8.3-3]
  if ((properties?.subscriptionIdentifiers?.length ?? 0) > 1) {
    throw new CodecError(ReasonCode.protocolError, 'A SUBSCRIBE with several subscription identifiers');
  }
  writer.twoBytes(requirePacketId(packet.packetId));
  writeProperties(writer, version, PacketType.SUBSCRIBE, properties);
  for (const subscription of subscriptions) {
    requireTopicFilter(subscription.filter);
    writer.string(subscription.filter);
    writer.byte(version === 5 ? options(subscription) : requireQoS(subscription));
  }
  return writer.finish((PacketType.SUBSCRIBE << 4) | 0x02); // [MQTT-3.8.1-1] [MQTT3-3.8.1-1]
}

function options(subscription: SubscriptionRequest): number {
  // [MQTT-3.8.3-4]
  if (subscription.noLocal && isSharedFilter(subscription.filter)) {
    throw new CodecError(ReasonCode.protocolError, 'No local on a shared subscription', 'MQTT-3.8.3-4');
  }
  // [MQTT-3.8.3-5]
  return (
    requireQoS(subscription) |
    (subscription.noLocal ? 0x04 : 0) |
    (subscription.retainAsPublished ? 0x08 : 0) |
    (requireInteger('retainHandling', subscription.retainHandling, 0, 2) << 4)
  );
}

function requireQoS({ qos }: SubscriptionRequest): number {
  return requireInteger('qos', qos, 0, 2);
}

/** Before 5.0 the one code of refusal is 0x80, and every refusal is sent as that. */
export function encodeSuback(writer: Writer, packet: SubackPacket, version: ProtocolVersion): Uint8Array {
  requireSome(packet.reasonCodes);
  writer.twoBytes(requirePacketId(packet.packetId));
  writeProperties(writer, version, PacketType.SUBACK, packet.properties);
  for (const code of packet.reasonCodes) {
    requireReasonCode(PacketType.SUBACK, code, 'server');
    // [MQTT3-3.9.3-2]
    writer.byte(version < 5 ? Math.min(code, ReasonCode.unspecifiedError) : code);
  }
  return writer.finish(PacketType.SUBACK << 4);
}

export function encodeUnsubscribe(writer: Writer, packet: UnsubscribePacket, version: ProtocolVersion): Uint8Array {
  requireSome(packet.filters, 'MQTT-3.10.3-2'); // [MQTT-3.10.3-2] [MQTT3-3.10.3-2]
  writer.twoBytes(requirePacketId(packet.packetId));
  writeProperties(writer, version, PacketType.UNSUBSCRIBE, packet.properties);
  for (const filter of packet.filters) {
    requireTopicFilter(filter);
    writer.string(filter);
  }
  return writer.finish((PacketType.UNSUBSCRIBE << 4) | 0x02); // [MQTT-3.10.1-1] [MQTT3-3.10.1-1]
}

export function encodeUnsuback(writer: Writer, packet: UnsubackPacket, version: ProtocolVersion): Uint8Array {
  writer.twoBytes(requirePacketId(packet.packetId));
  writeProperties(writer, version, PacketType.UNSUBACK, packet.properties);
  if (version === 5) {
    requireSome(packet.reasonCodes);
    for (const code of packet.reasonCodes) writer.byte(requireReasonCode(PacketType.UNSUBACK, code, 'server'));
  }
  return writer.finish(PacketType.UNSUBACK << 4);
}

function requireSome(list: readonly unknown[], clause?: string): void {
  if (list.length === 0) throw new CodecError(ReasonCode.protocolError, 'A packet without entries', clause);
}
