import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket, Server as TlsServer } from 'node:tls';
import type { Handshake, HandshakeGate } from './handshake-gate.js';
import { acceptedSocket, partFromAccepted } from './sources.js';

/**
 * A socket on which no MQTT is spoken yet: it goes with its listener. In place of the socket itself among the others, since a `Set` keeps
 * in its old tables what has left it long since, and this lets go of its socket.
 */
export class EarlySocket {
  constructor(
    protected socket: Socket | undefined,
    private readonly among: Set<EarlySocket>,
  ) {
    among.add(this);
  }

  destroy(): void {
    this.socket?.destroy();
  }

  /** It is early no more; more often does no harm. */
  ended(): void {
    this.among.delete(this);
    this.socket = undefined;
  }
}

/** How a handshake is found by its socket. */
const underWay = Symbol('handshake');
interface ShakingSocket extends Socket {
  [underWay]?: SocketHandshake;
}

/** The TLS handshake of an accepted socket, on its way through the gate. */
export class SocketHandshake extends EarlySocket implements Handshake {
  constructor(
    socket: Socket,
    among: Set<EarlySocket>,
    private readonly upper: TlsServer | HttpServer,
    private readonly gate: HandshakeGate,
  ) {
    super(socket, among);
    (socket as ShakingSocket)[underWay] = this;
  }

  begin(): void {
    const { socket } = this;
    if (socket === undefined || socket.destroyed) this.gate.leave(this);
    else this.upper.emit('connection', socket);
  }

  abandon(): void {
    this.destroy();
  }

  override ended(): void {
    super.ended();
    this.gate.leave(this);
  }
}

/** The handshake of a TLS socket is over, well or not. */
export function finishHandshake(socket: TLSSocket): void {
  (acceptedSocket(socket) as ShakingSocket)[underWay]?.ended();
  socket.on('close', partFromAccepted);
}
