import { requireReasonCode } from '../allowed-reason-codes.js';
import { CodecError } from '../error.js';
import type { AcknowledgementPacket, AcknowledgementType, AuthPacket, DisconnectPacket } from '../packet.js';
import { PacketType, type ProtocolVersion } from '../packet-type.js';
import { ReasonCode } from '../reason-code.js';
import { writeProperties } from './properties.js';
import { requirePacketId, type Writer } from './writer.js';

/**
 * Writes PUBACK, PUBREC, PUBREL or PUBCOMP with success and without properties, 4 bytes alike in every version; returns
 * the offset behind them.
 *
 * @param packetId 1 to 65535, unchecked
 */
export function writeAcknowledgement(
  target: Uint8Array,
  offset: number,
  type: AcknowledgementType,
  packetId: number,
): number {
  target[offset] = firstByte(type);
  target[offset + 1] = 2;
  target[offset + 2] = packetId >> 8;
  target[offset + 3] = packetId;
  return offset + 4;
}

export function encodeAcknowledgement(
  writer: Writer,
  packet: AcknowledgementPacket,
  version: ProtocolVersion,
): Uint8Array {
  const { type, reasonCode, properties } = packet;
  writer.twoBytes(requirePacketId(packet.packetId));
  const { length } = Object.keys(properties ?? {});
  if (version === 5 && (reasonCode !== ReasonCode.success || length > 0)) {
    writer.byte(requireReasonCode(type, reasonCode, undefined));
    if (length > 0) writeProperties(writer, version, type, properties);
  }
  return writer.finish(firstByte(type));
}

function firstByte(type: AcknowledgementType): number {
  return (type << 4) | (type === PacketType.PUBREL ? 0x02 : 0); // [MQTT-3.6.1-1] [MQTT3-3.6.1-1]
}

/** Before 5.0 the reason is not sent. */
export function encodeDisconnect(writer: Writer, packet: DisconnectPacket, version: ProtocolVersion): Uint8Array {
  const { reasonCode, properties } = packet;
  const { length } = Object.keys(properties ?? {});
  if (version === 5 && (reasonCode !== ReasonCode.normalDisconnection || length > 0)) {
    writer.byte(requireReasonCode(PacketType.DISCONNECT, reasonCode, undefined));
    if (length > 0) writeProperties(writer, version, PacketType.DISCONNECT, properties);
  }
  return writer.finish(PacketType.DISCONNECT << 4);
}

export function encodeAuth(writer: Writer, packet: AuthPacket, version: ProtocolVersion): Uint8Array {
  if (version !== 5) throw new CodecError(ReasonCode.protocolError, 'AUTH exists in MQTT 5.0 only');
  const { reasonCode, properties } = packet;
  if (reasonCode !== ReasonCode.success || properties !== undefined) {
    writer.byte(requireReasonCode(PacketType.AUTH, reasonCode, undefined));
    writeProperties(writer, version, PacketType.AUTH, properties);
  }
  return writer.finish(PacketType.AUTH << 4);
}
