import { requireReasonCode } from '../allowed-reason-codes.js';
import type { ConnackPacket, SubackPacket, UnsubackPacket } from '../packet.js';
import { PacketType, ProtocolVersion } from '../packet-type.js';
import { type ConnectReturnCode, ReasonCode } from '../reason-code.js';
import { readProperties } from './properties.js';
import { malformed, protocolError, type Reader } from './reader.js';

export function decodeConnack(reader: Reader, version: ProtocolVersion, maximumUserProperties: number): ConnackPacket {
  const byte = reader.byte();
  const flags = version === ProtocolVersion.V3_1 ? 0 : byte; // MQTT 3.1 §3.2: reserved, and not to be looked at.
  // [MQTT-3.2.2-1]
  if (flags > 1) throw malformed('Reserved bits of the connect acknowledge flags are set', 'MQTT-3.2.2-1');
  const code = reader.byte();
  const packet: ConnackPacket = {
    type: PacketType.CONNACK,
    sessionPresent: flags === 1,
    reasonCode: version === 5 ? requireReasonCode(PacketType.CONNACK, code, 'server') : returnCode(code),
  };
  // [MQTT-3.2.2-6] [MQTT3-3.2.2-4]
  if (flags === 1 && code !== 0) throw protocolError('A refusal with session present', 'MQTT-3.2.2-6');
  if (version === 5) {
    const properties = readProperties(reader, PacketType.CONNACK, maximumUserProperties);
    if (properties !== undefined) packet.properties = properties;
  }
  reader.finish();
  return packet;
}

function returnCode(code: number): ConnectReturnCode {
  if (code > 5) throw protocolError(`Connect return code ${code} is reserved`);
  return code as ConnectReturnCode;
}

export function decodeSuback(reader: Reader, version: ProtocolVersion, maximumUserProperties: number): SubackPacket {
  const packet: SubackPacket = { type: PacketType.SUBACK, packetId: reader.packetId(), reasonCodes: [] };
  if (version === 5) {
    const properties = readProperties(reader, PacketType.SUBACK, maximumUserProperties);
    if (properties !== undefined) packet.properties = properties;
  }
  while (reader.left > 0) {
    const code = requireReasonCode(PacketType.SUBACK, reader.byte(), 'server');
    // [MQTT3-3.9.3-2]
    if (version < 5 && code > ReasonCode.unspecifiedError) {
      throw protocolError(`Return code 0x${code.toString(16)} is reserved`, 'MQTT3-3.9.3-2');
    }
    packet.reasonCodes.push(code);
  }
  if (packet.reasonCodes.length === 0) throw protocolError('A SUBACK without reason code');
  return packet;
}

export function decodeUnsuback(
  reader: Reader,
  version: ProtocolVersion,
  maximumUserProperties: number,
): UnsubackPacket {
  const packet: UnsubackPacket = { type: PacketType.UNSUBACK, packetId: reader.packetId(), reasonCodes: [] };
  if (version === 5) {
    const properties = readProperties(reader, PacketType.UNSUBACK, maximumUserProperties);
    if (properties !== undefined) packet.properties = properties;
    while (reader.left > 0) {
      packet.reasonCodes.push(requireReasonCode(PacketType.UNSUBACK, reader.byte(), 'server'));
    }
    if (packet.reasonCodes.length === 0) throw protocolError('An UNSUBACK without reason code');
  }
  reader.finish();
  return packet;
}
