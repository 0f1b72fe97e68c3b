import {
  type AcknowledgementType,
  CodecError,
  type ControlPacket,
  type IncomingPublish,
  PacketType,
  ReasonCode,
} from '@moat/codec';
import { acknowledge, acknowledgeAll } from './acknowledge.js';
import { authenticateAgain, continueAuthentication } from './auth.js';
import { connect, refuseConnect } from './connect.js';
import type { Connection, PacketActions } from './connection.js';
import { disconnect } from './disconnect.js';
import { endIfUnproven } from './expiry.js';
import { publish } from './publish.js';
import { subscribe, unsubscribe } from './subscribe.js';

/** Hands each packet of a connection to the file that acts on it, if the connection has got so far. */
export class Dispatch implements PacketActions {
  constructor(private readonly connection: Connection) {}

  publish(packet: IncomingPublish): void {
    const { connection } = this;
    connection.context.counters.packetsReceived += packet.count;
    connection.lastReceived = connection.context.timers.now;
    if (connection.state !== 'connected') throw packetBeforeConnack(); // [MQTT-3.1.2-30]
    if (!endIfUnproven(connection)) publish(connection, packet);
  }

  packet(packet: ControlPacket): void {
    const { connection } = this;
    connection.context.counters.packetsReceived++;
    connection.lastReceived = connection.context.timers.now;
    if (connection.state === 'connected') this.act(packet);
    else if (packet.type === PacketType.CONNECT) connect(connection, packet);
    else if (connection.state !== 'authenticating') throw packetBeforeConnack();
    else if (packet.type === PacketType.AUTH) continueAuthentication(connection, packet);
    else if (packet.type === PacketType.DISCONNECT) connection.destroy('gave up');
    else throw packetBeforeConnack(); // [MQTT-3.1.2-30]
  }

  acknowledgements(type: AcknowledgementType, packetIds: readonly number[]): void {
    const { connection } = this;
    connection.context.counters.packetsReceived += packetIds.length;
    connection.lastReceived = connection.context.timers.now;
    if (connection.state !== 'connected') throw packetBeforeConnack();
    if (!endIfUnproven(connection)) acknowledgeAll(connection, type, packetIds);
  }

  refuse(error: CodecError): void {
    refuseConnect(this.connection, error);
  }

  private act(packet: ControlPacket): void {
    const { connection } = this;
    if (endIfUnproven(connection)) return;
    switch (packet.type) {
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBREL:
      case PacketType.PUBCOMP:
        return acknowledge(connection, packet.type, packet.packetId, packet.reasonCode);
      case PacketType.SUBSCRIBE:
        return subscribe(connection, packet);
      case PacketType.UNSUBSCRIBE:
        return unsubscribe(connection, packet);
      case PacketType.PINGREQ:
        return connection.write({ type: PacketType.PINGRESP }); // [MQTT-3.12.4-1]
      case PacketType.DISCONNECT:
        return disconnect(connection, packet);
      case PacketType.AUTH:
        return authenticateAgain(connection, packet);
      default:
        throw new CodecError(ReasonCode.protocolError, 'a packet that only servers send');
    }
  }
}

function packetBeforeConnack(): CodecError {
  return new CodecError(ReasonCode.protocolError, 'a packet before CONNACK');
}
