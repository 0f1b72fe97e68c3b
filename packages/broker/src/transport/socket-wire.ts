import { Socket } from 'node:net';
import type { Wire, WireOrigin, WireReceiver } from './wire.js';

/** Every plain TCP read lands here: a read is handled to its end before the next one begins. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);
/** Milliseconds that a closing wire has to send what is pending. */
const closeGrace = 5_000;

/** A wire over a TCP or TLS socket. */
export class SocketWire implements Wire {
  private receiver: WireReceiver | undefined;
  private error: Error | undefined;
  private readonly written = (): void => {
    if (this.socket.writableLength === 0) this.receiver?.drained();
  };

  constructor(
    private readonly socket: Socket,
    readonly origin: WireOrigin,
    private readonly left: ((origin: WireOrigin) => void) | undefined,
  ) {
    (socket as AdoptedSocket)[adoptedBy] = this;
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /**
   * Takes over an accepted socket that was never read from; `left` is called when it has closed.
   *
   * Reading into one shared buffer instead of a new one a read saves a third of the CPU per read. Node.js offers that
   * for outgoing sockets only (`onread`), so the accepted handle is wrapped once more. That rests on an internal
   * name: where it is missing the socket is read in the ordinary way.
   */
  static overTcp(accepted: Socket, origin: WireOrigin, left: (origin: WireOrigin) => void): SocketWire {
    const inner = accepted as Socket & { _handle?: object; _server?: object };
    if (inner._handle === undefined || inner._handle === null) return SocketWire.overStream(accepted, origin, left);
    const options = { handle: inner._handle, onread: { buffer: readBuffer, callback: onSharedRead }, manualStart: true };
    const socket: Socket & { _server?: object } = new Socket(options as ConstructorParameters<typeof Socket>[0]);
    // The server counts its open sockets through this reference.
    if (inner._server !== undefined) socket._server = inner._server;
    return new SocketWire(socket, origin, left);
  }

  /** Takes over a socket that delivers its bytes by 'data' events, such as a TLS socket. */
  static overStream(socket: Socket, origin: WireOrigin, left?: (origin: WireOrigin) => void): SocketWire {
    const wire = new SocketWire(socket, origin, left);
    socket.on('data', onData);
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

  write(bytes: Uint8Array): boolean {
    if (this.socket.destroyed || this.socket.writableEnded) return true;
    this.socket.write(bytes, this.written);
    return this.socket.writableLength === 0;
  }

  writeAll(pieces: readonly Uint8Array[]): boolean {
    if (this.socket.destroyed || this.socket.writableEnded) return true;
    this.socket.cork();
    for (const piece of pieces) this.socket.write(piece, this.written);
    this.socket.uncork();
    return this.socket.writableLength === 0;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    if (this.socket.destroyed) return;
    this.socket.end();
    this.socket.setTimeout(closeGrace, () => this.socket.destroy());
  }

  destroy(): void {
    this.socket.destroy();
  }

  received(buffer: Uint8Array, length: number): void {
    this.receiver?.received(buffer, 0, length);
  }

  failed(error: Error): void {
    this.error = error;
  }

  closed(): void {
    const receiver = this.receiver;
    this.receiver = undefined;
    receiver?.closed(this.error);
    this.left?.(this.origin);
  }
}

/** One listener function for all sockets instead of closures for each: an idle connection stays small. */
const adoptedBy = Symbol('wire');
interface AdoptedSocket extends Socket {
  [adoptedBy]?: SocketWire;
}

function onSharedRead(this: AdoptedSocket, length: number, buffer: Uint8Array): boolean {
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
