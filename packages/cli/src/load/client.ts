import type net from 'node:net';
import { PacketScanner, type ReadMemory } from './packet-scanner.js';
import { connectPacket, disconnectPacket, Header, type QoS, subscribePacket, tailBytes } from './packets.js';
import { dial, type Target } from './target.js';

/** What a client of a load tells the load. */
export interface ClientEvents {
  /** A message of publisher number `publisher` has arrived; `sentAt` is what it was stamped with. */
  delivered?(publisher: number, sentAt: number): void;
  /** The broker has taken over responsibility for the message of this identifier: PUBACK (QoS 1) or PUBREC (2). */
  received?(packetId: number): void;
  /** The exchange of one message of QoS 1 or 2 is over: PUBACK or PUBCOMP. */
  acknowledged?(): void;
  /** All packets of one read have been reported. */
  readDone?(): void;
  /** The connection is lost without {@link LoadClient.close}. */
  failed?(error: Error): void;
}

/**
 * One connection, in as few steps per message as JavaScript allows. It answers QoS 1 and 2 at once,
 * with one write for all packets of a read.
 */
export class LoadClient {
  readonly #memory: ReadMemory;
  readonly #events: ClientEvents;
  readonly #scanner: PacketScanner;
  readonly #socket: net.Socket;
  #answers: number[] = [];
  #waiting: { header: number; resolve: () => void; reject: (error: Error) => void } | undefined;
  #closing = false;

  private constructor(target: Target, memory: ReadMemory, events: ClientEvents) {
    this.#memory = memory;
    this.#events = events;
    this.#scanner = new PacketScanner(memory, (header, start, end) => this.#onPacket(header, start, end));
    this.#socket = dial(target, memory.area, (length) => this.#onRead(length));
    this.#socket.on('error', (error) => this.#onLost(error));
    this.#socket.on('close', () => this.#onLost(new Error('the broker closed the connection')));
  }

  /** Connects and waits for CONNACK; rejects when the connection fails or the broker refuses. */
  static async connect(
    target: Target,
    memory: ReadMemory,
    clientId: string,
    events: ClientEvents = {},
    cleanSession = true,
  ): Promise<LoadClient> {
    const client = new LoadClient(target, memory, events);
    client.write(connectPacket(clientId, target, cleanSession));
    await client.#answer(Header.connack);
    return client;
  }

  async subscribe(filter: string, qos: QoS): Promise<void> {
    this.write(subscribePacket(filter, qos));
    await this.#answer(Header.suback);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** DISCONNECT, then waits until both sides have closed. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end(disconnectPacket);
    });
  }

  #answer(header: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { header, resolve, reject };
    });
  }

  #onRead(length: number): void {
    try {
      this.#scanner.scan(length);
    } catch (error) {
      this.#socket.destroy(error as Error);
      return;
    }
    if (this.#answers.length > 0) {
      this.write(Buffer.from(this.#answers));
      this.#answers = [];
    }
    this.#events.readDone?.();
  }

  #onPacket(header: number, start: number, end: number): void {
    const { view } = this.#memory;
    switch (header >> 4) {
      case Header.publish >> 4: {
        const qos = (header >> 1) & 3;
        if (qos > 0) {
          const identifier = view.getUint16(start + 2 + view.getUint16(start));
          this.#reply(qos === 1 ? Header.puback : Header.pubrec, identifier);
        }
        this.#events.delivered?.(view.getUint32(end - tailBytes), view.getFloat64(end - 8));
        return;
      }
      case Header.puback >> 4:
        this.#events.received?.(view.getUint16(start));
        this.#events.acknowledged?.();
        return;
      case Header.pubcomp >> 4:
        this.#events.acknowledged?.();
        return;
      case Header.pubrec >> 4:
        this.#events.received?.(view.getUint16(start));
        this.#reply(Header.pubrel, view.getUint16(start));
        return;
      case Header.pubrel >> 4:
        this.#reply(Header.pubcomp, view.getUint16(start));
        return;
      case Header.connack >> 4:
      case Header.suback >> 4:
        this.#onAnswer(header, view.getUint8(end - 1));
    }
  }

  #reply(header: number, identifier: number): void {
    this.#answers.push(header, 2, identifier >> 8, identifier & 0xff);
  }

  /** The last byte of CONNACK is its return code, of SUBACK that of the only filter; 0 to 2 are the granted QoS there. */
  #onAnswer(header: number, code: number): void {
    const waiting = this.#waiting;
    if (waiting?.header !== header) return;
    this.#waiting = undefined;
    const refused = header === Header.connack ? code !== 0 : code > 2;
    if (refused)
      waiting.reject(
        new Error(
          `the broker refused the ${header === Header.connack ? 'connection' : 'subscription'} with code ${code}`,
        ),
      );
    else waiting.resolve();
  }

  #onLost(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    if (!this.#closing) this.#events.failed?.(error);
    this.#closing = true;
  }
}
