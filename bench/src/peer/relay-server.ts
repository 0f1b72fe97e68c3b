/**
 * What a broker in Node.js cannot go below, in a process of its own: CERTFILE KEYFILE CAFILE CRLFILE PLAIN_PORT SECURE_PORT
 * MUTUAL_PORT.
 *
 * It knows MQTT just so far that the load takes it for a broker. It checks nothing, remembers nothing, forwards QoS 0 as
 * it was read, and takes every PUBLISH of a connection to have the size and the topic of the first.
 */
import { constants } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { readBelow } from '@moat/broker/read-below';
import { readBuffer, readInto } from '@moat/broker/read-into';
import { type StreamHandle, streamHandleOf } from '@moat/broker/stream-handle';
import { writeBelow } from '@moat/broker/write-below';

const Type = { connect: 1, publish: 3, pubrec: 5, pubrel: 6, subscribe: 8, disconnect: 14 } as const;
const acknowledgementBytes = 4;
const disconnectBytes = 2;

/** By topic filter. */
const subscribers = new Map<string, Connection[]>();

class Connection {
  #to: readonly Connection[] = [];
  readonly #handle: StreamHandle | undefined;
  #qos = 0;
  #packetBytes = 0;
  /** Where a PUBLISH has its packet identifier. */
  #identifierAt = 0;
  #rest: Buffer | undefined;

  constructor(readonly socket: net.Socket) {
    socket.setNoDelay(true).on('error', () => socket.destroy());
    const handle = streamHandleOf(socket);
    this.#handle = socket instanceof tls.TLSSocket ? undefined : handle; // TLS takes one write at a time
    const readsInto = readInto(socket, (length) => {
      this.read(length);
      return true;
    });
    if (!readsInto) socket.on('data', (bytes) => this.#read(bytes));
    else if (handle !== undefined) readBelow(handle, this);
    socket.resume();
  }

  read(length: number): undefined {
    this.#read(Buffer.from(readBuffer.buffer, readBuffer.byteOffset, length));
  }

  /** The bytes are to be used again when it returns. */
  #read(bytes: Buffer): void {
    const type = (bytes[0] ?? 0) >> 4;
    const leaves = type === Type.disconnect && bytes.length === disconnectBytes; // else a payload may go on so
    if (this.#packetBytes > 0 && this.#qos === 0 && !leaves) this.#forward(Buffer.from(bytes));
    else if (type === Type.connect) this.#write(Buffer.from([0x20, 2, 0, 0]));
    else if (type === Type.subscribe) this.#subscribe(bytes);
    else if (leaves) this.socket.end();
    else this.#exchange(bytes, type);
  }

  #subscribe(bytes: Buffer): void {
    const length = bytes.readUInt16BE(4);
    const filter = bytes.toString('latin1', 6, 6 + length);
    subscribers.set(filter, [...(subscribers.get(filter) ?? []), this]);
    this.#write(Buffer.from([0x90, 3, ...bytes.subarray(2, 4), bytes[6 + length] ?? 0]));
  }

  /** Packets of QoS 1 and 2, and the first of QoS 0. */
  #exchange(bytes: Buffer, type: number): void {
    if (this.#packetBytes === 0 && type === Type.publish) this.#learn(bytes);
    if (this.#packetBytes > 0 && this.#qos === 0) return this.#forward(Buffer.from(bytes));
    const all = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    const publishes = Buffer.allocUnsafe(all.length);
    const answers = Buffer.allocUnsafe(all.length);
    let forwarded = 0;
    let answered = 0;
    let at = 0;
    for (let end = 0; at < all.length; at = end) {
      const header = (all[at] ?? 0) >> 4;
      end = at + (header === Type.publish ? this.#packetBytes : acknowledgementBytes);
      if (end > all.length) break;
      if (header === Type.publish) forwarded += all.copy(publishes, forwarded, at, end);
      const answer = this.#answerTo(header);
      if (answer === 0) continue;
      const identifierAt = at + (header === Type.publish ? this.#identifierAt : 2);
      answers[answered++] = answer;
      answers[answered++] = 2;
      answers[answered++] = all[identifierAt] as number;
      answers[answered++] = all[identifierAt + 1] as number;
    }
    this.#rest = at < all.length ? Buffer.from(all.subarray(at)) : undefined;
    if (forwarded > 0) this.#forward(publishes.subarray(0, forwarded));
    if (answered > 0) this.#write(answers.subarray(0, answered));
  }

  /** The first byte of PUBACK, PUBREC, PUBREL or PUBCOMP; 0 for none. */
  #answerTo(header: number): number {
    if (header === Type.publish) return this.#qos === 1 ? 0x40 : 0x50;
    if (header === Type.pubrec) return 0x62;
    return header === Type.pubrel ? 0x70 : 0;
  }

  #learn(bytes: Buffer): void {
    let at = 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const topicBytes = bytes.readUInt16BE(at);
    const topic = bytes.toString('latin1', at + 2, at + 2 + topicBytes);
    this.#qos = ((bytes[0] ?? 0) >> 1) & 3;
    this.#packetBytes = at + length;
    this.#identifierAt = at + 2 + topicBytes;
    this.#to = subscribers.get(topic) ?? subscribers.get(topic.replace(/[^/]*$/, '+')) ?? [];
  }

  #forward(bytes: Buffer): void {
    for (const connection of this.#to) connection.#write(bytes);
  }

  #write(bytes: Buffer): void {
    if (this.#handle === undefined) this.socket.write(bytes);
    else writeBelow(this.#handle, bytes, this);
  }

  wrote(): void {
    // What did not leave, the load misses.
  }
}

// No revocation list: OpenSSL would verify its signature in each handshake, and there are cheaper ways.
const [certfile = '', keyfile = '', cafile = '', , ...ports] = process.argv.slice(2);
const credentials = {
  cert: readFileSync(certfile),
  key: readFileSync(keyfile),
  minVersion: 'TLSv1.3' as const,
  secureOptions: constants.SSL_OP_NO_TICKET,
};
const clients = { ca: readFileSync(cafile), requestCert: true, rejectUnauthorized: true };
const accept = (socket: net.Socket): void => {
  new Connection(socket);
};

const servers = [
  net.createServer(accept),
  tls.createServer(credentials, accept),
  tls.createServer({ ...credentials, ...clients }, accept),
];
servers.forEach((server, index) => {
  server.listen(Number(ports[index]), '127.0.0.1');
});
