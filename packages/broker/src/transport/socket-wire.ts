import type { Socket } from 'node:net';
import { readInto } from './read-into.js';
import type { Wire, WireOrigin, WireReceiver } from './wire.js';

/** Milliseconds that a closing wire has to send what is pending. */
const closeGrace = 5_000;
const nothing = Buffer.alloc(0);

/** A wire over a TCP or TLS socket. */
export class SocketWire implements Wire {
  private receiver: WireReceiver | undefined;
  private error: Error | undefined;
  private cutOff: NodeJS.Timeout | undefined;
  /** Nothing is sent any more. */
  private over = false;
  private readonly written = (): void => {
    if (this.socket.writableLength === 0) this.receiver?.drained();
  };

  constructor(
    private readonly socket: Socket,
    readonly origin: WireOrigin,
  ) {
    (socket as AdoptedSocket)[adoptedBy] = this;
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /** Takes over a socket whose reads call {@link onRead}. */
  static overCallback(socket: Socket, origin: WireOrigin): SocketWire {
    return new SocketWire(socket, origin);
  }

  /** Takes over a socket that delivers its bytes by 'data' events, such as a TLS socket, unless it can do better. */
  static overStream(socket: Socket, origin: WireOrigin): SocketWire {
    const wire = new SocketWire(socket, origin);
    if (!readInto(socket, onRead)) socket.on('data', onData);
    socket.pause();
    return wire;
  }

  get pending(): number {
    return this.socket.writableLength;
  }

  start(receiver: WireReceiver): void {
    this.receiver = receiver;
    if (this.socket.destroyed) queueMicrotask(() => this.closed());
    else this.socket.resume();
  }

  write(bytes: Uint8Array, tell: boolean): boolean {
    if (this.over || this.socket.writableEnded) return true;
    this.socket.write(bytes, this.callback(tell));
    return this.hasLeft(tell);
  }

  writeAll(pieces: readonly Uint8Array[], tell: boolean): boolean {
    if (this.over || this.socket.writableEnded) return true;
    const callback = this.callback(tell);
    this.socket.cork();
    for (const piece of pieces) this.socket.write(piece, callback);
    this.socket.uncork();
    return this.hasLeft(tell);
  }

  /** Nearly all that is written to TCP leaves at once, and a callback would cost a tick for each; TLS writes later. */
  private callback(tell: boolean): (() => void) | undefined {
    return tell || this.origin.tls !== undefined ? this.written : undefined;
  }

  private hasLeft(tell: boolean): boolean {
    if (this.socket.writableLength === 0) return true;
    if (this.callback(tell) === undefined) this.socket.write(nothing, this.written);
    return false;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** A half-closed connection is waited for; closing it at once saves a system call, a timer and a turn of the loop. */
  end(peerLeaves: boolean): void {
    if (this.over) return;
    if (peerLeaves && this.origin.tls === undefined && this.pending === 0) return this.destroy();
    this.over = true;
    this.socket.end();
    // Whatever the client still sends, it does not get longer than this.
    this.cutOff ??= setTimeout(() => this.socket.destroy(), closeGrace).unref();
  }

  destroy(): void {
    this.over = true;
    this.socket.destroy();
  }

  received(buffer: Uint8Array, length: number): void {
    this.receiver?.received(buffer, 0, length);
  }

  failed(error: Error): void {
    this.error = error;
    // Node leaves a connection open whose encryption has failed.
    this.socket.destroy();
  }

  closed(): void {
    this.over = true;
    clearTimeout(this.cutOff);
    const receiver = this.receiver;
    this.receiver = undefined;
    receiver?.closed(this.error);
    this.origin.admitted?.left();
  }
}

/** One listener function for all sockets instead of closures for each: an idle connection stays small. */
const adoptedBy = Symbol('wire');
interface AdoptedSocket extends Socket {
  [adoptedBy]?: SocketWire;
}

/** What a socket calls that reads into a buffer of its transport. */
export function onRead(this: AdoptedSocket, length: number, buffer: Uint8Array): boolean {
  this[adoptedBy]?.received(buffer, length);
  return true;
}

function onData(this: AdoptedSocket, bytes: Buffer): void {
  this[adoptedBy]?.received(bytes, bytes.length);
}

function onError(this: AdoptedSocket, error: Error): void {
  this[adoptedBy]?.failed(error);
}

function onClose(this: AdoptedSocket): void {
  this[adoptedBy]?.closed();
}
