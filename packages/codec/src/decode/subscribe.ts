import type { SubscribePacket, SubscriptionRequest, UnsubscribePacket } from '../packet.js';
import { PacketType, type ProtocolVersion, type QoS } from '../packet-type.js';
import { isSharedFilter, requireTopicFilter } from '../topic.js';
import { readProperties } from './properties.js';
import { malformed, protocolError, type Reader } from './reader.js';

export function decodeSubscribe(
  reader: Reader,
  version: ProtocolVersion,
  maximumUserProperties: number,
): SubscribePacket {
  const packet: SubscribePacket = { type: PacketType.SUBSCRIBE, packetId: readPacketId(reader), subscriptions: [] };
  if (version === 5) {
    const properties = readProperties(reader, PacketType.SUBSCRIBE, maximumUserProperties);
    if (properties !== undefined) packet.properties = properties;
  }
  while (reader.left > 0) packet.subscriptions.push(decodeRequest(reader, version));
  // [MQTT-3.8.3-2] [MQTT3-3.8.3-3]
  if (packet.subscriptions.length === 0) throw protocolError('A SUBSCRIBE without topic filter', 'MQTT-3.8.3-2');
  return packet;
}

function decodeRequest(reader: Reader, version: ProtocolVersion): SubscriptionRequest {
  const filter = decodeFilter(reader); // [MQTT-3.8.3-1] [MQTT3-3.8.3-1]
  const options = reader.byte();
  const qos = options & 0x03;
  const retainHandling = (options >> 4) & 0x03;
  // [MQTT-3.8.3-5] [MQTT3-3.8.3-4]
  if ((options & (version === 5 ? 0xc0 : 0xfc)) !== 0) {
    throw malformed('Reserved bits of the subscription options are set', 'MQTT-3.8.3-5');
  }
  // [MQTT3-3.8.3-4]
  if (qos === 3) throw (version === 5 ? protocolError : malformed)('A subscription with QoS 3');
  if (retainHandling === 3) throw protocolError('A subscription with retain handling 3');
  const noLocal = (options & 0x04) !== 0;
  // [MQTT-3.8.3-4]
  if (noLocal && isSharedFilter(filter)) throw protocolError('No local on a shared subscription', 'MQTT-3.8.3-4');
  return {
    filter,
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (options & 0x08) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

export function decodeUnsubscribe(
  reader: Reader,
  version: ProtocolVersion,
  maximumUserProperties: number,
): UnsubscribePacket {
  const packet: UnsubscribePacket = { type: PacketType.UNSUBSCRIBE, packetId: readPacketId(reader), filters: [] };
  if (version === 5) {
    const properties = readProperties(reader, PacketType.UNSUBSCRIBE, maximumUserProperties);
    if (properties !== undefined) packet.properties = properties;
  }
  while (reader.left > 0) packet.filters.push(decodeFilter(reader)); // [MQTT-3.10.3-1] [MQTT3-3.10.3-1]
  // [MQTT-3.10.3-2] [MQTT3-3.10.3-2]
  if (packet.filters.length === 0) throw protocolError('An UNSUBSCRIBE without topic filter', 'MQTT-3.10.3-2');
  return packet;
}

/** The standard gives no reason code for an identifier of 0; this one is Mosquitto's in these two packets. */
function readPacketId(reader: Reader): number {
  const packetId = reader.twoBytes();
  if (packetId === 0) throw malformed('A packet identifier of 0', 'MQTT-2.2.1-3'); // [MQTT-2.2.1-3] [MQTT3-2.3.1-1]
  return packetId;
}

function decodeFilter(reader: Reader): string {
  const filter = reader.name();
  requireTopicFilter(filter);
  return filter;
}
