import { encodeAcknowledgement, encodeAuth, encodeDisconnect } from './encode/acknowledgement.js';
import { encodeConnack, encodeConnect } from './encode/connect.js';
import { encodePublish } from './encode/publish.js';
import { encodeSuback, encodeSubscribe, encodeUnsuback, encodeUnsubscribe } from './encode/subscribe.js';
import { writer } from './encode/writer.js';
import type { Packet } from './packet.js';
import { PacketType, type ProtocolVersion } from './packet-type.js';

/**
 * The bytes of a packet in the given version; CONNECT goes by the version that it bears. Before 5.0, properties and
 * reason codes are left out.
 *
 * Throws {@link CodecError} for what the standard forbids in any packet: an identifier of 0, a string of more than 65535
 * bytes, a property that the packet cannot have, a wildcard in a topic name.
 */
export function encode(packet: Packet, version: ProtocolVersion): Uint8Array {
  switch (packet.type) {
    case PacketType.PUBLISH:
      return encodePublish(packet, version);
    case PacketType.CONNECT:
      return encodeConnect(writer.begin(), packet);
    case PacketType.CONNACK:
      return encodeConnack(writer.begin(), packet, version);
    case PacketType.SUBSCRIBE:
      return encodeSubscribe(writer.begin(), packet, version);
    case PacketType.SUBACK:
      return encodeSuback(writer.begin(), packet, version);
    case PacketType.UNSUBSCRIBE:
      return encodeUnsubscribe(writer.begin(), packet, version);
    case PacketType.UNSUBACK:
      return encodeUnsuback(writer.begin(), packet, version);
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
      return writer.begin().finish(packet.type << 4);
    case PacketType.DISCONNECT:
      return encodeDisconnect(writer.begin(), packet, version);
    case PacketType.AUTH:
      return encodeAuth(writer.begin(), packet, version);
    default:
      return encodeAcknowledgement(writer.begin(), packet, version);
  }
}
