import { connect, type Socket } from 'node:net';
import { type ControlPacket, encode, type IncomingPublish, type Packet, Parser } from '@moat/codec';

/** What a stream hands on. */
export interface StreamEvents {
  /** The broker listens; nothing was sent yet. */
  opened(): void;
  packet(packet: ControlPacket): void;
  publish(packet: IncomingPublish): void;
  /** Called once, whoever ended it. */
  ended(): void;
}

/** One connection to the broker as packets, without any rule of its own. */
export class PacketStream {
  private readonly socket: Socket;
  /** Whether what comes and what is to be sent no longer counts. */
  private deaf = false;
  private over = false;

  /** Connects to a port of 127.0.0.1. */
  constructor(
    port: number,
    private readonly version: 4 | 5,
    private readonly events: StreamEvents,
  ) {
    const parser = new Parser(
      { packet: (packet) => this.deaf || events.packet(packet), publish: (packet) => this.deaf || this.each(packet) },
      { role: 'client', version, maximumPacketSize: 1 << 20, maximumUserProperties: 100 },
    );
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => events.opened());
    this.socket.on('data', (bytes) => parser.feed(bytes));
    this.socket.on('error', () => {}); // told by 'close'
    this.socket.on('close', () => this.end());
  }

  send(packet: Packet): void {
    if (!this.deaf) this.socket.write(encode(packet, this.version));
  }

  /** Sends what was written, and closes. */
  finish(): void {
    this.deaf = true;
    this.socket.end();
  }

  /** Ends it at once; nothing is handed on any more. */
  end(): void {
    if (this.over) return;
    this.over = true;
    this.deaf = true;
    this.socket.destroy();
    this.events.ended();
  }

  /** Lets go of it without ending it: another connection is to take over. */
  abandon(): () => void {
    this.over = true;
    this.deaf = true;
    return () => this.socket.destroy();
  }

  private each(packet: IncomingPublish): void {
    for (const single of packet.each()) this.events.publish(single);
  }
}
