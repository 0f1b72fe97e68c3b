import { CodecError } from '../error.js';
import type { ConnectPacket, Will } from '../packet.js';
import { PacketType, ProtocolVersion, type QoS } from '../packet-type.js';
import { WILL_PROPERTIES } from '../property-table.js';
import { ReasonCode } from '../reason-code.js';
import { requireTopicName } from '../topic.js';
import { decodeName } from '../utf8.js';
import { readProperties } from './properties.js';
import { malformed, protocolError, type Reader } from './reader.js';

const BRIDGE = 0x80;

/**
 * The protocol name and version byte, read first so that everything after them can be answered in that version.
 *
 * @param flags of the fixed header
 */
export function decodeVersion(reader: Reader, flags: number): { version: ProtocolVersion; bridge: boolean } {
  const name = reader.string();
  const level = reader.byte();
  const version = level & ~BRIDGE;
  const bridge = version !== level;
  if (name === 'MQTT' && (version === ProtocolVersion.V3_1_1 || level === ProtocolVersion.V5_0)) {
    // [MQTT-2.1.3-1] [MQTT3-2.2.2-1]
    if (flags !== 0) throw malformed('Reserved bits of the fixed header are not as required', 'MQTT-2.1.3-1');
    return { version, bridge } as { version: ProtocolVersion; bridge: boolean };
  }
  if (name === 'MQIsdp' && version === ProtocolVersion.V3_1) return { version, bridge };
  // [MQTT-3.1.2-1] [MQTT-3.1.2-2] [MQTT3-3.1.2-1] [MQTT3-3.1.2-2]
  const known = name === 'MQTT' || name === 'MQIsdp';
  throw new CodecError(
    ReasonCode.unsupportedProtocolVersion,
    known ? `${name} of version ${level} is not supported` : 'The protocol name is neither MQTT nor MQIsdp',
    known ? 'MQTT-3.1.2-2' : 'MQTT-3.1.2-1',
    known ? level : undefined,
  );
}

/** The rest of CONNECT, behind the version byte. */
export function decodeConnect(
  reader: Reader,
  version: ProtocolVersion,
  bridge: boolean,
  maximumUserProperties: number,
): ConnectPacket {
  const flags = checkFlags(reader.byte(), version);
  const keepAlive = reader.twoBytes();
  const properties = version === 5 ? readProperties(reader, PacketType.CONNECT, maximumUserProperties) : undefined;
  if (properties?.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw protocolError('Authentication data without authentication method');
  }
  // [MQTT-3.1.3-1] [MQTT3-3.1.3-1]
  const packet: ConnectPacket = {
    type: PacketType.CONNECT,
    version,
    cleanStart: (flags & 0x02) !== 0,
    keepAlive,
    clientId: decodeClientId(reader),
  };
  if (bridge) packet.bridge = true;
  if (properties !== undefined) packet.properties = properties;
  // [MQTT-3.1.2-9] [MQTT3-3.1.2-9]
  if ((flags & 0x04) !== 0) packet.will = decodeWill(reader, flags, version, maximumUserProperties);
  // MQTT 3.1 §3.1 lets a field be missing at the end of the packet although its flag announces it.
  const lenient = version === ProtocolVersion.V3_1;
  // [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.3-12] [MQTT3-3.1.2-18] [MQTT3-3.1.2-19] [MQTT3-3.1.3-11]
  if ((flags & 0x80) !== 0 && !(lenient && reader.left === 0)) packet.username = reader.name();
  // [MQTT-3.1.2-18] [MQTT-3.1.2-19] [MQTT3-3.1.2-20] [MQTT3-3.1.2-21]
  if ((flags & 0x40) !== 0 && !(lenient && reader.left === 0)) packet.password = reader.binary();
  reader.finish();
  return packet;
}

/** A client identifier that is missing makes the packet malformed, one that is no name is not valid. */
function decodeClientId(reader: Reader): string {
  const bytes = reader.binary(); // [MQTT-3.1.3-3] [MQTT3-3.1.3-3]
  try {
    return decodeName(bytes, 0, bytes.length); // [MQTT-3.1.3-4] [MQTT3-3.1.3-4]
  } catch (error) {
    throw new CodecError(ReasonCode.clientIdentifierNotValid, (error as CodecError).message, 'MQTT-3.1.3-4');
  }
}

function checkFlags(flags: number, version: ProtocolVersion): number {
  // [MQTT-3.1.2-3] [MQTT3-3.1.2-3]; MQTT 3.1 §3.1 has the bit unused, not forbidden
  if ((flags & 0x01) !== 0 && version !== ProtocolVersion.V3_1)
    throw malformed('The reserved connect flag is set', 'MQTT-3.1.2-3');
  if ((flags & 0x04) === 0) {
    // [MQTT-3.1.2-11] [MQTT3-3.1.2-13] [MQTT3-3.1.2-11]
    if ((flags & 0x18) !== 0) throw malformed('A will QoS without will', 'MQTT-3.1.2-11');
    // [MQTT-3.1.2-13] [MQTT3-3.1.2-15]
    if ((flags & 0x20) !== 0) throw malformed('A will retain flag without will', 'MQTT-3.1.2-13');
  }
  // [MQTT-3.1.2-12] [MQTT3-3.1.2-14]
  if ((flags & 0x18) === 0x18) throw malformed('A will QoS of 3', 'MQTT-3.1.2-12');
  // [MQTT3-3.1.2-22]
  if (version < 5 && (flags & 0xc0) === 0x40) throw malformed('A password without user name', 'MQTT3-3.1.2-22');
  return flags;
}

function decodeWill(reader: Reader, flags: number, version: ProtocolVersion, maximumUserProperties: number): Will {
  const properties = version === 5 ? readProperties(reader, WILL_PROPERTIES, maximumUserProperties) : undefined;
  // [MQTT-3.1.3-11] [MQTT3-3.1.3-10]
  const topic = reader.name();
  requireTopicName(topic);
  const will: Will = {
    topic,
    payload: reader.binary(),
    qos: ((flags >> 3) & 3) as QoS,
    retain: (flags & 0x20) !== 0,
  };
  if (properties !== undefined) will.properties = properties;
  return will;
}
