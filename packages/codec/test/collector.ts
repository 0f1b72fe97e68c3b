import {
  type AcknowledgementType,
  type ControlPacket,
  encode,
  type IncomingPublish,
  type Packet,
  PacketType,
  Parser,
  type ParserOptions,
  type ProtocolVersion,
} from '@moat/codec';

export const serverOptions: ParserOptions = {
  role: 'server',
  maximumPacketSize: 268_435_460,
  maximumUserProperties: 1000,
};

/** A receiver that keeps everything, with each run taken apart into the packets that were sent. */
export class Collector {
  readonly packets: Packet[] = [];
  /** How many packets each PUBLISH handed over held. */
  readonly runs: number[] = [];

  publish(publish: IncomingPublish): void {
    this.runs.push(publish.count);
    for (const one of publish.each()) this.packets.push(toPacket(one));
  }

  packet(packet: ControlPacket): void {
    this.packets.push(packet);
  }

  acknowledgements(type: AcknowledgementType, packetIds: readonly number[]): void {
    for (const packetId of packetIds) this.packets.push({ type, packetId, reasonCode: 0 });
  }
}

function toPacket(publish: IncomingPublish): Packet {
  const { type, topic, qos, retain, dup, packetId, properties } = publish;
  const payload = Uint8Array.from(publish.payload);
  return { type, topic, payload, qos, retain, dup, packetId, ...(properties === undefined ? {} : { properties }) };
}

/** A parser of `from`'s packets that has its CONNECT behind it, and what it hands over. */
export function connected(
  from: 'client' | 'server',
  version: ProtocolVersion,
  options: Partial<ParserOptions> = {},
): { parser: Parser; collector: Collector } {
  const collector = new Collector();
  const role = from === 'client' ? 'server' : 'client';
  const parser = new Parser(collector, { ...serverOptions, role, version, ...options });
  if (from === 'client') {
    parser.feed(encode({ type: PacketType.CONNECT, version, cleanStart: true, keepAlive: 0, clientId: 'c' }, version));
    collector.packets.pop();
  }
  return { parser, collector };
}
