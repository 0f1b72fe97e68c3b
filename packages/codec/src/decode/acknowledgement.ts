import { requireReasonCode, type Sender } from '../allowed-reason-codes.js';
import type { AcknowledgementPacket, AcknowledgementType } from '../packet.js';
import type { ProtocolVersion } from '../packet-type.js';
import { ReasonCode } from '../reason-code.js';
import { readProperties } from './properties.js';
import type { Reader } from './reader.js';

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
