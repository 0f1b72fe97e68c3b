import type { PacketType, ProtocolVersion, QoS } from './packet-type.js';
import type {
  AcknowledgementProperties,
  AuthProperties,
  ConnackProperties,
  ConnectProperties,
  DisconnectProperties,
  PublishProperties,
  SubscribeProperties,
  UnsubscribeProperties,
  WillProperties,
} from './properties.js';
import type { ConnectReturnCode, ReasonCode } from './reason-code.js';

/** The message that the server publishes when the client goes without DISCONNECT (MQTT 5.0 §3.1.2.5). */
export interface Will {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  properties?: WillProperties;
}

export interface ConnectPacket {
  type: typeof PacketType.CONNECT;
  version: ProtocolVersion;
  /** Bit 7 of the version byte: set by a bridge (a convention of Mosquitto, in 3.1 and 3.1.1). */
  bridge?: boolean;
  /** Clean start in 5.0, clean session in 3.1 and 3.1.1. */
  cleanStart: boolean;
  /** Seconds; 0 turns it off. */
  keepAlive: number;
  clientId: string;
  will?: Will;
  username?: string;
  password?: Uint8Array;
  properties?: ConnectProperties;
}

export interface ConnackPacket {
  type: typeof PacketType.CONNACK;
  sessionPresent: boolean;
  /** A reason code in 5.0, a return code 0 to 5 in 3.1 and 3.1.1. */
  reasonCode: ReasonCode | ConnectReturnCode;
  properties?: ConnackProperties;
}

/** A PUBLISH to encode. What the parser hands out is a {@link IncomingPublish}. */
export interface PublishPacket {
  type: typeof PacketType.PUBLISH;
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  /** 1 to 65535 for QoS 1 and 2, 0 for QoS 0. */
  packetId: number;
  properties?: PublishProperties;
}

export type AcknowledgementType =
  | typeof PacketType.PUBACK
  | typeof PacketType.PUBREC
  | typeof PacketType.PUBREL
  | typeof PacketType.PUBCOMP;

export interface AcknowledgementPacket<T extends AcknowledgementType = AcknowledgementType> {
  type: T;
  packetId: number;
  /** Always 0 in 3.1 and 3.1.1. */
  reasonCode: ReasonCode;
  properties?: AcknowledgementProperties;
}

/** One topic filter of SUBSCRIBE with its options (MQTT 5.0 §3.8.3.1); before 5.0 only `qos` is sent. */
export interface SubscriptionRequest {
  filter: string;
  qos: QoS;
  noLocal: boolean;
  retainAsPublished: boolean;
  /** 0 send retained messages, 1 only for a new subscription, 2 never. */
  retainHandling: 0 | 1 | 2;
}

export interface SubscribePacket {
  type: typeof PacketType.SUBSCRIBE;
  packetId: number;
  subscriptions: SubscriptionRequest[];
  properties?: SubscribeProperties;
}

export interface SubackPacket {
  type: typeof PacketType.SUBACK;
  packetId: number;
  reasonCodes: ReasonCode[];
  properties?: AcknowledgementProperties;
}

export interface UnsubscribePacket {
  type: typeof PacketType.UNSUBSCRIBE;
  packetId: number;
  filters: string[];
  properties?: UnsubscribeProperties;
}

export interface UnsubackPacket {
  type: typeof PacketType.UNSUBACK;
  packetId: number;
  /** Sent in 5.0 only. */
  reasonCodes: ReasonCode[];
  properties?: AcknowledgementProperties;
}

export interface PingreqPacket {
  type: typeof PacketType.PINGREQ;
}

export interface PingrespPacket {
  type: typeof PacketType.PINGRESP;
}

export interface DisconnectPacket {
  type: typeof PacketType.DISCONNECT;
  reasonCode: ReasonCode;
  properties?: DisconnectProperties;
}

export interface AuthPacket {
  type: typeof PacketType.AUTH;
  reasonCode: ReasonCode;
  properties?: AuthProperties;
}

/** Every control packet but an incoming PUBLISH, which has its own form for speed. */
export type ControlPacket =
  | ConnectPacket
  | ConnackPacket
  | AcknowledgementPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;

/** Anything that {@link encode} takes. */
export type Packet = ControlPacket | PublishPacket;
