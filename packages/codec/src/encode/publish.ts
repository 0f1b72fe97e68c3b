import { CodecError } from '../error.js';
import type { PublishPacket } from '../packet.js';
import { packetEnd, variableHeaderOffset } from '../packet-bounds.js';
import { PacketType, type ProtocolVersion } from '../packet-type.js';
import { ReasonCode } from '../reason-code.js';
import { writeProperties } from './properties.js';
import { topicBytes } from './topic-bytes.js';
import { requirePacketId, writer } from './writer.js';

/**
 * A PUBLISH. Its packet identifier lies at {@link packetIdOffset}, to be patched where the same bytes go to many.
 * Throws {@link CodecError} for what the standard forbids.
 */
export function encodePublish(packet: PublishPacket, version: ProtocolVersion): Uint8Array {
  const { topic, qos, payload, properties } = packet;
  // [MQTT-3.3.1-2] [MQTT3-3.3.1-2]
  if (packet.dup && qos === 0) throw new CodecError(ReasonCode.protocolError, 'DUP with QoS 0', 'MQTT-3.3.1-2');
  writer.begin(payload.length + 3 * topic.length + 16);
  if (topic === '' && version === 5 && properties?.topicAlias !== undefined) writer.twoBytes(0);
  else writer.raw(topicBytes(topic));
  // [MQTT-2.2.1-2] [MQTT3-2.3.1-5]
  if (qos > 0) writer.twoBytes(requirePacketId(packet.packetId));
  writeProperties(writer, version, PacketType.PUBLISH, properties);
  writer.raw(payload);
  return writer.finish((PacketType.PUBLISH << 4) | (packet.dup ? 0x08 : 0) | (qos << 1) | (packet.retain ? 0x01 : 0));
}

/** Offset of the packet identifier (two bytes, high first) in the encoded PUBLISH of QoS 1 or 2 at `start`. */
export function packetIdOffset(bytes: Uint8Array, start = 0): number {
  return behindTopic(bytes, variableHeaderOffset(bytes, start));
}

/** Sets the packet identifiers of the PUBLISH packets of QoS 1 or 2 that follow one another in `bytes` from `start` on. */
export function writePacketIds(bytes: Uint8Array, start: number, packetIds: readonly number[]): void {
  let at = start;
  for (const packetId of packetIds) {
    const body = variableHeaderOffset(bytes, at);
    const idAt = behindTopic(bytes, body);
    bytes[idAt] = packetId >> 8;
    bytes[idAt + 1] = packetId;
    at = packetEnd(bytes, at, body);
  }
}

function behindTopic(bytes: Uint8Array, body: number): number {
  return body + 2 + (((bytes[body] ?? 0) << 8) | (bytes[body + 1] ?? 0));
}
