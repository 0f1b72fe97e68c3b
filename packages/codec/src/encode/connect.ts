import { requireReasonCode } from '../allowed-reason-codes.js';
import { CodecError } from '../error.js';
import type { ConnackPacket, ConnectPacket, Will } from '../packet.js';
import { PacketType, ProtocolVersion } from '../packet-type.js';
import { WILL_PROPERTIES } from '../property-table.js';
import { ReasonCode } from '../reason-code.js';
import { requireTopicName } from '../topic.js';
import { writeProperties } from './properties.js';
import { requireInteger, type Writer } from './writer.js';

/** CONNECT, in the version that it bears itself. */
export function encodeConnect(writer: Writer, packet: ConnectPacket): Uint8Array {
  const { version, will, username, password, properties } = packet;
  // [MQTT3-3.1.2-22]
  if (version < 5 && password !== undefined && username === undefined) {
    throw new CodecError(ReasonCode.protocolError, 'A password needs a user name before MQTT 5.0', 'MQTT3-3.1.2-22');
  }
  if (properties?.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw new CodecError(ReasonCode.protocolError, 'Authentication data without authentication method');
  }
  writer.string(version === ProtocolVersion.V3_1 ? 'MQIsdp' : 'MQTT'); // [MQTT-3.1.2-1]
  writer.byte(version | (packet.bridge === true && version < 5 ? 0x80 : 0));
  writer.byte(
    (packet.cleanStart ? 0x02 : 0) |
      willFlags(will) |
      (password === undefined ? 0 : 0x40) |
      (username === undefined ? 0 : 0x80),
  );
  writer.twoBytes(requireInteger('keepAlive', packet.keepAlive, 0, 0xffff));
  writeProperties(writer, version, PacketType.CONNECT, properties);
  writer.string(packet.clientId);
  if (will !== undefined) {
    requireTopicName(will.topic);
    writeProperties(writer, version, WILL_PROPERTIES, will.properties);
    writer.string(will.topic);
    writer.binary(will.payload);
  }
  if (username !== undefined) writer.string(username);
  if (password !== undefined) writer.binary(password);
  return writer.finish(PacketType.CONNECT << 4);
}

function willFlags(will: Will | undefined): number {
  if (will === undefined) return 0; // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
  return 0x04 | (requireInteger('will.qos', will.qos, 0, 2, 'MQTT-3.1.2-12') << 3) | (will.retain ? 0x20 : 0);
}

export function encodeConnack(writer: Writer, packet: ConnackPacket, version: ProtocolVersion): Uint8Array {
  const { sessionPresent, reasonCode } = packet;
  if (version === 5) requireReasonCode(PacketType.CONNACK, reasonCode, 'server');
  else requireInteger('The return code', reasonCode, 0, 5);
  // [MQTT-3.2.2-6] [MQTT3-3.2.2-4]
  if (sessionPresent && reasonCode !== 0) {
    throw new CodecError(ReasonCode.protocolError, 'A refusal with session present', 'MQTT-3.2.2-6');
  }
  // MQTT 3.1 has no session present flag: the byte is reserved.
  writer.byte(sessionPresent && version !== ProtocolVersion.V3_1 ? 1 : 0); // [MQTT-3.2.2-1]
  writer.byte(reasonCode);
  writeProperties(writer, version, PacketType.CONNACK, packet.properties);
  return writer.finish(PacketType.CONNACK << 4);
}
