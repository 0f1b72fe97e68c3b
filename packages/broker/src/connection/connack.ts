import {
  type ConnackPacket,
  type ConnackProperties,
  type ConnectPacket,
  ConnectReturnCode,
  PacketType,
  ReasonCode,
} from '@moat/codec';
import type { Connection } from './connection.js';
import { aliasBytes } from './topic-aliases.js';

/** What an accepted CONNECT came to. */
export interface Acceptance {
  /** Undefined unless the server chose it. */
  readonly assignedClientId: string | undefined;
  /** Seconds. */
  readonly expiryInterval: number;
  /** Seconds. */
  readonly keepAlive: number;
  readonly authenticationData: Uint8Array | undefined;
}

/** CONNACK 0. // [MQTT-3.1.4-5] [MQTT3-3.1.4-4] */
export function acceptance(properties: ConnackProperties | undefined, sessionPresent: boolean): ConnackPacket {
  const { success: reasonCode } = ReasonCode;
  if (properties === undefined) return { type: PacketType.CONNACK, sessionPresent, reasonCode };
  return { type: PacketType.CONNACK, sessionPresent, reasonCode, properties };
}

/** What differs from the client's wishes or from the standard's defaults (MQTT 5.0 §3.2.2.3); undefined before 5.0. */
export function acceptedProperties(
  connection: Connection,
  packet: ConnectPacket,
  agreed: Acceptance,
): ConnackProperties | undefined {
  if (packet.version < 5) return undefined;
  const { limits } = connection;
  const { retainAvailable, responseInformation, aliases, limits: general } = connection.context;
  const takesAliases = limits.max_topic_alias > 0 && aliases.hasRoom(aliasBytes('') + 2 * limits.max_topic_length);
  const { assignedClientId, expiryInterval, keepAlive, authenticationData } = agreed;
  const { sessionExpiryInterval = 0, authenticationMethod, requestResponseInformation } = packet.properties ?? {};
  return {
    ...(takesAliases ? { topicAliasMaximum: limits.max_topic_alias } : {}),
    ...(retainAvailable ? {} : { retainAvailable }),
    ...(expiryInterval === sessionExpiryInterval ? {} : { sessionExpiryInterval: expiryInterval }),
    ...(assignedClientId === undefined ? {} : { assignedClientIdentifier: assignedClientId }), // [MQTT-3.2.2-16]
    ...(keepAlive === packet.keepAlive ? {} : { serverKeepAlive: keepAlive }),
    ...(requestResponseInformation && responseInformation !== undefined ? { responseInformation } : {}), // [MQTT-3.1.2-28]
    ...(authenticationMethod === undefined ? {} : { authenticationMethod }), // [MQTT-4.12.0-5] [MQTT-4.12.0-6]
    ...(authenticationData === undefined ? {} : { authenticationData }),
    ...(limits.max_packet_size < 268_435_460 ? { maximumPacketSize: limits.max_packet_size } : {}),
    ...(limits.receive_maximum < 65_535 ? { receiveMaximum: limits.receive_maximum } : {}),
    ...(general.max_qos < 2 ? { maximumQoS: general.max_qos as 0 | 1 } : {}), // [MQTT-3.2.2-9]
  };
}

/**
 * CONNACK with a reason why not, in the form of one version, and the end of the connection.
 * // [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT3-3.2.2-5]
 */
export function refuse(
  connection: Connection,
  version: 3 | 4 | 5,
  reasonCode: ReasonCode,
  reason: string,
  serverReference?: string,
): void {
  connection.context.counters.connectsRefused++;
  const properties = {
    ...connection.problem(reason),
    ...(serverReference === undefined ? {} : { serverReference }),
  };
  connection.write(
    {
      type: PacketType.CONNACK,
      sessionPresent: false, // [MQTT-3.2.2-6] [MQTT3-3.2.2-4]
      reasonCode: version === 5 ? reasonCode : returnCodeOf(reasonCode),
      ...(version === 5 && Object.keys(properties).length > 0 ? { properties } : {}),
    },
    version,
  );
  connection.finish(false, reason);
  connection.end();
}

/** The return codes that 3.1 and 3.1.1 have (3.1.1 §3.2.2.3). */
function returnCodeOf(reasonCode: ReasonCode): ConnectReturnCode {
  switch (reasonCode) {
    case ReasonCode.unsupportedProtocolVersion:
      return ConnectReturnCode.unacceptableProtocolVersion;
    case ReasonCode.clientIdentifierNotValid:
      return ConnectReturnCode.identifierRejected; // [MQTT3-3.1.3-9]
    case ReasonCode.serverUnavailable:
    case ReasonCode.serverBusy:
    case ReasonCode.connectionRateExceeded:
    case ReasonCode.quotaExceeded:
    case ReasonCode.useAnotherServer:
      return ConnectReturnCode.serverUnavailable;
    default:
      // Wrong passwords too: 4 is for user names and passwords that are malformed.
      return ConnectReturnCode.notAuthorized;
  }
}
