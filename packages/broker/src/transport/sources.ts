import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Admitted, WireOrigin, WireProtocol } from './wire.js';

/** Where a socket comes from: its peer, or whom a trusted proxy speaks for. */
export interface Source {
  readonly address: string;
  readonly port: number;
}

/** What is known of a socket below what is laid upon it. */
interface Known extends Source {
  readonly admitted: Admitted;
}

/** On the socket itself: a WeakMap of so many short-lived keys costs the garbage collector more than all the rest. */
const known = Symbol('source');
interface KnownSocket extends Socket {
  [known]?: Known;
}

interface TlsInternals {
  _parent?: Socket | undefined;
}

/** The socket that was accepted, under a TLS layer if there is one. */
export function acceptedSocket(socket: Socket): Socket {
  return (socket as Socket & TlsInternals)._parent ?? socket;
}

/**
 * For a TLS socket that has closed: it no longer holds the one that was accepted. What Node.js defines on that one's handle to ask for
 * (`reading`) holds the TLS socket until the old heap is collected: V8 makes accessors in there. So it is to hold little.
 */
export function partFromAccepted(this: Socket): void {
  (this as Socket & TlsInternals)._parent = undefined;
}

export function peerOf(socket: Socket): Source {
  return { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
}

/** Notes it for {@link originOf}, which is asked again when the handshakes are done. */
export function remember(socket: Socket, source: Source, admitted: Admitted): void {
  const { address, port } = source;
  (socket as KnownSocket)[known] = { address, port, admitted };
}

export function originOf(
  protocol: WireProtocol,
  listener: string,
  socket: Socket,
  tls: TLSSocket | undefined,
): WireOrigin {
  const { address, port, admitted } = (acceptedSocket(socket) as KnownSocket)[known] ?? {
    ...peerOf(socket),
    admitted: undefined,
  };
  return { protocol, listener, remoteAddress: address, remotePort: port, admitted, tls };
}

/** An IPv4 address that came in through an IPv6 socket is still one. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
