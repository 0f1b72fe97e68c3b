import { requireReasonCode, type Sender } from '../allowed-reason-codes.js';
import type { AcknowledgementPacket, AcknowledgementType } from '../packet.js';
import { PacketType, type ProtocolVersion } from '../packet-type.js';
import { ReasonCode } from '../reason-code.js';
import { readProperties } from './properties.js';
import { packetIdZero, type Reader } from './reader.js';

/** Whether a packet is one of the four. */
export function isAcknowledgement(type: number): type is AcknowledgementType {
  return type >= PacketType.PUBACK && type <= PacketType.PUBCOMP;
}

/** One that is only a packet identifier: success, in every version. Nearly all are. */
export function decodeShortAcknowledgement(
  bytes: Uint8Array,
  start: number,
  type: AcknowledgementType,
): AcknowledgementPacket {
  const packetId = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
  if (packetId === 0) throw packetIdZero();
  return { type, packetId, reasonCode: ReasonCode.success };
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP. In 5.0 reason code and properties may be left out, from the end. */
export function decodeAcknowledgement(
  reader: Reader,
  type: AcknowledgementType,
  version: ProtocolVersion,
  sender: Sender,
  maximumUserProperties: number,
): AcknowledgementPacket {
  const packet: AcknowledgementPacket = { type, packetId: reader.packetId(), reasonCode: ReasonCode.success };
  if (version === 5 && reader.left > 0) {
    packet.reasonCode = requireReasonCode(type, reader.byte(), sender);
    if (reader.left > 0) {
      const properties = readProperties(reader, type, maximumUserProperties);
      if (properties !== undefined) packet.properties = properties;
    }
  }
  reader.finish();
  return packet;
}
