import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { closeInTurn } from './close-in-turn.js';
import { askedToLend, type Lendable, lending, takeLendable } from './lendable.js';
import { forgetOwner, type ReadOwner, readBelow } from './read-below.js';
import { readBuffer, readInto } from './read-into.js';
import { type StreamHandle, streamHandleOf } from './stream-handle.js';
import type { Wire, WireOrigin, WireReceiver } from './wire.js';
import { type WriteOwner, type Written, writeAllBelow, writeBelow } from './write-below.js';

/** Milliseconds that a closing wire has to send what is pending. */
const closeGrace = 5_000;
const nothing = Buffer.alloc(0);
/** A read of so many bytes brings much, and of fewer than that little. */
const much = 131_072;
const little = 32_768;

/** A wire over a TCP or TLS socket. */
export class SocketWire implements Wire, ReadOwner, WriteOwner {
  // What each read and write looks at stands together: with hundreds of clients, none of it is in a cache.
  private receiver: WireReceiver | undefined = undefined;
  /** What is read into, if it is not the shared buffer. */
  private lendable: Lendable | undefined = undefined;
  /** Nothing is sent any more. */
  private over = false;
  /** The peer has closed its side. */
  private left = false;
  /** What is read and written with; through the stream where it is undefined. */
  private readonly handle: StreamHandle | undefined;
  /** Bytes taken for {@link handle} that have not left. */
  private underWay = 0;
  /** Those of them that follow the write under way: TLS takes one at a time. */
  private next: Uint8Array[] | undefined = undefined;
  /** To be closed once they have. */
  private ending = false;
  private error: Error | undefined = undefined;
  private cutOff: NodeJS.Timeout | undefined = undefined;

  constructor(
    private readonly socket: Socket,
    readonly origin: WireOrigin,
  ) {
    (socket as AdoptedSocket)[adoptedBy] = this;
    this.handle = streamHandleOf(socket);
    // Its end is ours to answer: Node.js would do so in the same turn, however many end.
    socket.allowHalfOpen = true;
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /** Takes over a socket whose reads call {@link onRead}. */
  static overCallback(socket: Socket, origin: WireOrigin): SocketWire {
    return new SocketWire(socket, origin).readingBelow();
  }

  /**
   * Takes over a socket that delivers its bytes by 'data' events, such as a TLS socket, unless it can do better. To be started
   * in the same turn: to pause it meanwhile would take two system calls.
   */
  static overStream(socket: Socket, origin: WireOrigin): SocketWire {
    const wire = new SocketWire(socket, origin);
    if (readInto(socket, onRead)) return wire.readingBelow();
    socket.on('data', onData);
    return wire;
  }

  /** The socket reads into the shared buffer: past the stream, where that is to be had. */
  private readingBelow(): this {
    if (this.handle !== undefined) readBelow(this.handle, this);
    return this;
  }

  get pending(): number {
    return this.handle === undefined ? this.socket.writableLength : this.underWay;
  }

  start(receiver: WireReceiver): void {
    this.receiver = receiver;
    if (this.socket.destroyed) queueMicrotask(() => this.closed());
    else this.socket.resume();
  }

  write(bytes: Uint8Array, tell: boolean): boolean {
    if (this.over || this.left) return true;
    const { handle } = this;
    if (handle === undefined) return this.writeThrough([bytes], tell);
    if (this.underWay > 0) return this.queue([bytes]);
    return this.settle(writeBelow(handle, bytes, this), bytes.length, tell);
  }

  writeAll(pieces: readonly Uint8Array[], tell: boolean): boolean {
    if (this.over || this.left) return true;
    const { handle } = this;
    if (handle === undefined) return this.writeThrough(pieces, tell);
    if (this.underWay > 0) return this.queue(pieces);
    return this.writePieces(handle, pieces, lengthOf(pieces), tell);
  }

  private writePieces(handle: StreamHandle, pieces: readonly Uint8Array[], length: number, tell: boolean): boolean {
    return this.settle(writeAllBelow(handle, pieces, length, this), length, tell);
  }

  private queue(pieces: readonly Uint8Array[]): false {
    this.next = [...(this.next ?? []), ...pieces];
    this.underWay += lengthOf(pieces);
    return false;
  }

  private settle(written: Written, length: number, tell: boolean): boolean {
    if (written === 'waits') {
      this.underWay += length;
      return false;
    }
    if (written !== 'left') this.unwritten(written);
    else if (tell) process.nextTick(() => this.tellDrained());
    return this.underWay === 0;
  }

  wrote(length: number, status: number): void {
    this.underWay -= length;
    if (status < 0) return this.unwritten(status);
    const { next } = this;
    if (next !== undefined && this.handle !== undefined) {
      const length = this.underWay;
      this.next = undefined;
      this.underWay = 0;
      this.writePieces(this.handle, next, length, false);
    }
    if (this.ending && this.underWay === 0) this.socket.end();
    this.tellDrained();
  }

  private unwritten(status: number): void {
    this.failed(new Error(`write ${getSystemErrorName(status)}`));
  }

  private tellDrained(): void {
    if (this.pending === 0) this.receiver?.drained();
  }

  private writeThrough(pieces: readonly Uint8Array[], tell: boolean): boolean {
    const { socket } = this;
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.uncork();
    const left = socket.writableLength === 0;
    if (!left || tell) socket.write(nothing, () => this.tellDrained());
    return left;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** A half-closed connection is waited for; closing it at once saves three system calls, a timer and a turn of the loop. */
  end(peerLeaves: boolean): void {
    if (this.over) return;
    if (peerLeaves && this.pending === 0) return this.part();
    this.over = true;
    // What TLS has still to encrypt would be lost behind a shutdown.
    if (this.underWay > 0) this.ending = true;
    else this.socket.end();
    // Whatever the client still sends, it does not get longer than this.
    this.cutOff ??= setTimeout(() => this.socket.destroy(), closeGrace).unref();
  }

  /** It sends no more, and reads, if at all, what has been written. */
  peerEnded(): void {
    if (this.pending === 0) closeInTurn(this.socket);
    else if (this.underWay > 0) this.ending = true;
    else if (!this.over) this.socket.end();
    this.left = true;
  }

  /** Closes at once; TLS says so first, by a close_notify that leaves in this turn (RFC 8446 §6.1). */
  private part(): void {
    if (this.origin.tls !== undefined) this.socket.end();
    this.destroy();
  }

  destroy(): void {
    this.over = true;
    this.socket.destroy();
  }

  received(buffer: Uint8Array, length: number): void {
    this.receiver?.received(buffer, 0, length);
  }

  /** Who sends much of use reads into memory that can be lent, for as long as much comes. */
  read(length: number): Uint8Array | undefined {
    if (this.lendable !== undefined) return this.readLendable(this.lendable, length);
    if (length >= much) return this.readMuch(length);
    this.received(readBuffer, length);
    return undefined;
  }

  private readMuch(length: number): Uint8Array | undefined {
    const asked = askedToLend(readBuffer, () => this.received(readBuffer, length));
    return asked ? this.readOn(takeLendable()) : undefined;
  }

  private readLendable(lendable: Lendable, length: number): Uint8Array | undefined {
    lending(lendable, () => this.received(lendable.bytes, length));
    if (lendable.loans > 0) return this.readOn(takeLendable());
    return length < little ? this.readOn(undefined) : undefined;
  }

  /** Into the shared buffer, where there is no other. */
  private readOn(lendable: Lendable | undefined): Uint8Array {
    this.giveBack();
    this.lendable = lendable;
    return lendable?.bytes ?? readBuffer;
  }

  private giveBack(): void {
    if (this.lendable !== undefined) this.lendable.isTaken = false;
    this.lendable = undefined;
  }

  failed(error: Error): void {
    this.over = true;
    this.error ??= error;
    // Node leaves a connection open whose encryption has failed.
    this.socket.destroy();
  }

  closed(): void {
    this.over = true;
    clearTimeout(this.cutOff);
    this.giveBack();
    if (this.handle !== undefined) forgetOwner(this.handle); // a TLS socket is kept for longer than it is of use
    const receiver = this.receiver;
    this.receiver = undefined;
    receiver?.closed(this.error);
    this.origin.admitted?.left();
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** One listener function for all sockets instead of closures for each: an idle connection stays small. */
const adoptedBy = Symbol('wire');
interface AdoptedSocket extends Socket {
  [adoptedBy]?: SocketWire | undefined;
}

/** What a socket calls that reads into a buffer of its transport. */
export function onRead(this: AdoptedSocket, length: number, buffer: Uint8Array): boolean {
  this[adoptedBy]?.received(buffer, length);
  return true;
}

function onData(this: AdoptedSocket, bytes: Buffer): void {
  this[adoptedBy]?.received(bytes, bytes.length);
}

function onEnd(this: AdoptedSocket): void {
  this[adoptedBy]?.peerEnded();
}

function onError(this: AdoptedSocket, error: Error): void {
  this[adoptedBy]?.failed(error);
}

function onClose(this: AdoptedSocket): void {
  this[adoptedBy]?.closed();
  this[adoptedBy] = undefined;
}
