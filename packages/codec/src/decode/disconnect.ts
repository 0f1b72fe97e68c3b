import { requireReasonCode, type Sender } from '../allowed-reason-codes.js';
import type { AuthPacket, DisconnectPacket } from '../packet.js';
import { PacketType, type ProtocolVersion } from '../packet-type.js';
import { ReasonCode } from '../reason-code.js';
import { readProperties } from './properties.js';
import { protocolError, type Reader } from './reader.js';

/** In 5.0 properties, then the reason code, may be left out; before it the packet is empty. */
export function decodeDisconnect(
  reader: Reader,
  version: ProtocolVersion,
  sender: Sender,
  maximumUserProperties: number,
): DisconnectPacket {
  const packet: DisconnectPacket = { type: PacketType.DISCONNECT, reasonCode: ReasonCode.normalDisconnection };
  if (version === 5 && reader.left > 0) {
    packet.reasonCode = requireReasonCode(PacketType.DISCONNECT, reader.byte(), sender);
    if (reader.left > 0) {
      const properties = readProperties(reader, PacketType.DISCONNECT, maximumUserProperties);
      // [MQTT-3.14.2-2]
      if (sender === 'server' && properties?.sessionExpiryInterval !== undefined) {
        throw protocolError('A DISCONNECT from the server with a session expiry interval', 'MQTT-3.14.2-2');
      }
      if (properties !== undefined) packet.properties = properties;
    }
  }
  reader.finish();
  return packet;
}

/** An empty AUTH means success, which only a server may say. */
export function decodeAuth(reader: Reader, sender: Sender, maximumUserProperties: number): AuthPacket {
  const code = reader.left === 0 ? ReasonCode.success : reader.byte();
  const packet: AuthPacket = { type: PacketType.AUTH, reasonCode: requireReasonCode(PacketType.AUTH, code, sender) };
  if (reader.left > 0) {
    const properties = readProperties(reader, PacketType.AUTH, maximumUserProperties);
    if (properties !== undefined) packet.properties = properties;
  }
  if (code !== ReasonCode.success && packet.properties?.authenticationMethod === undefined) {
    throw protocolError('An AUTH without authentication method');
  }
  reader.finish();
  return packet;
}
