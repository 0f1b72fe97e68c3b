import type { AcknowledgementType, ControlPacket } from '../packet.js';
import { PacketType, type ProtocolVersion } from '../packet-type.js';
import { decodeAcknowledgement } from './acknowledgement.js';
import { decodeAuth, decodeDisconnect } from './disconnect.js';
import { type DecodeLimits, Reader } from './reader.js';
import { decodeConnack, decodeSuback, decodeUnsuback } from './server-packets.js';
import { decodeSubscribe, decodeUnsubscribe } from './subscribe.js';

const PINGREQ: ControlPacket = Object.freeze({ type: PacketType.PINGREQ });
const PINGRESP: ControlPacket = Object.freeze({ type: PacketType.PINGRESP });

/** Decodes any packet but CONNECT, PUBLISH and what is only a packet identifier. `bytes[start, end)` is what follows the fixed header. */
export function decodeControlPacket(
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion,
  { role, maximumUserProperties }: DecodeLimits,
): ControlPacket {
  const reader = new Reader(bytes, start, end);
  const sender = role === 'server' ? 'client' : 'server';
  switch (type) {
    case PacketType.CONNACK:
      return decodeConnack(reader, version, maximumUserProperties);
    case PacketType.SUBSCRIBE:
      return decodeSubscribe(reader, version, maximumUserProperties);
    case PacketType.SUBACK:
      return decodeSuback(reader, version, maximumUserProperties);
    case PacketType.UNSUBSCRIBE:
      return decodeUnsubscribe(reader, version, maximumUserProperties);
    case PacketType.UNSUBACK:
      return decodeUnsuback(reader, version, maximumUserProperties);
    case PacketType.PINGREQ:
      reader.finish();
      return PINGREQ;
    case PacketType.PINGRESP:
      reader.finish();
      return PINGRESP;
    case PacketType.DISCONNECT:
      return decodeDisconnect(reader, version, sender, maximumUserProperties);
    case PacketType.AUTH:
      return decodeAuth(reader, sender, maximumUserProperties);
    default:
      return decodeAcknowledgement(reader, type as AcknowledgementType, version, sender, maximumUserProperties);
  }
}
