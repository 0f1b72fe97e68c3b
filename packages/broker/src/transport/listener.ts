import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type TlsOptions as NodeTlsOptions,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { OperatorError } from '../errors.js';
import { acceptInto } from './accept.js';
import { makeSocketsAlike } from './alike-sockets.js';
import { EarlySocket, finishHandshake, SocketHandshake } from './early-socket.js';
import type { HandshakeGate } from './handshake-gate.js';
import { type ProxyOptions, readProxyHeader } from './proxied.js';
import { pskLookup } from './psk.js';
import { ServerNames } from './server-names.js';
import { onRead, SocketWire } from './socket-wire.js';
import { originOf, peerOf, remember, type Source } from './sources.js';
import type { TlsMaterial, TlsOptions } from './tls-material.js';
import { createWebSocketServer, type WebSocketOptions } from './websocket-server.js';
import { WebSocketWire } from './websocket-wire.js';
import type { Admitted, Wire, WireOrigin, WireProtocol } from './wire.js';

/** Where to listen and what to speak there; the configuration's names. */
export interface ListenerOptions {
  readonly protocol: WireProtocol;
  /** An address; `*` is every one. */
  readonly bind: string;
  readonly port: number;
  readonly set_tcp_nodelay: boolean;
  readonly tls: TlsOptions | undefined;
  readonly webSocket: WebSocketOptions | undefined;
  /** Milliseconds for the TLS handshake. */
  readonly handshakeDeadline: number;
  /** Undefined where no PROXY header is awaited. */
  readonly proxy: ProxyOptions | undefined;
}

/** What a listener needs of the broker. */
export interface ListenerOwner {
  /** Asked before anything is spent on a socket; undefined for no. May destroy it later, to make room. */
  admit(source: Source, socket: Socket): Admitted | undefined;
  /** A wire that is ready for MQTT. */
  accepted(wire: Wire): void;
  /** A handshake that failed, and why. */
  rejected(origin: WireOrigin, reason: string): void;
  /** A peer that is no trusted proxy, or whose header does not count, and why. */
  unproxied(peer: Source, reason: string): void;
  readonly gate: HandshakeGate;
  /** The pre-shared key of an identity. */
  keyOf(identity: string): Buffer | undefined;
}

/** PROXY headers that one listener awaits at once: they come with the first packet of a proxy's connection. */
const mostHeaders = 1_000;

/** One listening socket, with all that lies between it and bytes of MQTT. The broker calls nobody. // [MQTT3-7.0.0-1] */
export class Listener {
  private readonly early = new Set<EarlySocket>();
  /** PROXY headers that are awaited. */
  private headers = 0;
  /** As events and clients' origins have it: `protocol:port`. */
  readonly name: string;

  private constructor(
    readonly options: ListenerOptions,
    private readonly server: Server,
    private readonly upper: TlsServer | HttpServer | undefined,
    private readonly names: ServerNames,
    readonly address: string,
    readonly port: number,
  ) {
    this.name = `${options.protocol}:${port}`;
  }

  /**
   * Binds and begins to accept.
   * @param certificates where it speaks TLS; the first for whoever asks for no name, or for another's
   * @throws OperatorError `listener.port_in_use`, `listener.cannot_bind`
   */
  static async open(
    options: ListenerOptions,
    owner: ListenerOwner,
    certificates: readonly TlsMaterial[],
  ): Promise<Listener> {
    makeSocketsAlike();
    const names = new ServerNames();
    const [first] = certificates;
    const serverOptions = first && tlsServerOptions(options, first.context, owner, names);
    const server = createServer();
    const upper = upperServer(options, serverOptions, owner, () => listener.name);
    await listen(server, options);
    const { address, port } = server.address() as AddressInfo;
    const listener = new Listener(options, server, upper, names, address, port);
    listener.useTls(certificates);
    if (options.proxy === undefined && upper === undefined)
      acceptInto(server, onRead, (...accepted) => listener.acceptPlain(owner, ...accepted));
    else if (options.proxy === undefined && options.webSocket === undefined)
      acceptInto(server, undefined, (socket) => listener.accept(socket, owner, upper));
    else server.on('connection', (socket) => listener.accept(socket, owner, upper));
    return listener;
  }

  /** Serves new handshakes with other certificates, authorities and revocations; connections stay. */
  useTls(certificates: readonly TlsMaterial[]): void {
    const { upper, names } = this;
    const [first] = certificates;
    if (first === undefined || upper === undefined) return;
    if ('setSecureContext' in upper) (upper as TlsServer).setSecureContext(first.context);
    names.use(certificates);
    // Node.js asks for an answer in each handshake, if there is anybody to ask: so only where there is one.
    upper.removeAllListeners('OCSPRequest');
    if (!names.haveStaples) return;
    const answer = (certificate: Buffer, _issuer: Buffer, done: (error: null, answer: Buffer | null) => void): void =>
      done(null, names.stapleOf(certificate) ?? null);
    upper.on('OCSPRequest', answer);
  }

  /** Accepts no more. What was accepted stays, but for handshakes. */
  close(): Promise<void> {
    for (const socket of this.early) socket.destroy();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      // Established connections keep the server open; nobody waits for those.
      resolve();
    });
  }

  private acceptPlain(owner: ListenerOwner, socket: Socket, readsByCallback: boolean): void {
    const origin = this.admit(socket, peerOf(socket), owner);
    if (origin === undefined) return;
    const wrap = readsByCallback ? SocketWire.overCallback : SocketWire.overStream;
    owner.accepted(wrap(socket, origin));
  }

  private accept(socket: Socket, owner: ListenerOwner, upper: TlsServer | HttpServer | undefined): void {
    socket.on('error', () => socket.destroy());
    const { proxy } = this.options;
    if (proxy === undefined) return this.enter(socket, peerOf(socket), owner, upper);
    const peer = peerOf(socket);
    if (peer.address === '') return void socket.destroy(); // gone again before it was looked at
    const refuse = (reason: string): void => {
      if (!socket.destroyed) owner.unproxied(peer, reason);
      socket.destroy();
    };
    if (!proxy.trusts(peer.address)) return refuse('no trusted proxy');
    if (this.headers >= mostHeaders) return refuse('too many PROXY headers are awaited');
    this.headers++;
    const early = new EarlySocket(socket, this.early);
    readProxyHeader(socket, proxy, (result) => {
      this.headers--;
      early.ended();
      if (result === 'left') socket.destroy();
      else if ('invalid' in result) refuse(result.invalid);
      else this.enter(socket, result.source === 'local' ? peer : result.source, owner, upper);
    });
  }

  private enter(socket: Socket, source: Source, owner: ListenerOwner, upper: TlsServer | HttpServer | undefined): void {
    const origin = this.admit(socket, source, owner);
    if (origin === undefined) return;
    if (upper === undefined) return owner.accepted(SocketWire.overStream(socket, origin));
    const { admitted } = origin;
    const isSecure = this.options.tls !== undefined;
    const handshake = isSecure ? new SocketHandshake(socket, this.early, upper, owner.gate) : undefined;
    socket.on('close', () => {
      handshake?.ended();
      admitted?.left();
    });
    if (handshake === undefined) upper.emit('connection', socket);
    else owner.gate.enter(handshake, admitted?.isKnown);
  }

  /** Where an admitted socket comes from; one that is not admitted is closed. */
  private admit(socket: Socket, source: Source, owner: ListenerOwner): WireOrigin | undefined {
    const { protocol, proxy, set_tcp_nodelay } = this.options;
    const admitted = source.address === '' || socket.destroyed ? undefined : owner.admit(source, socket);
    if (admitted === undefined) {
      socket.destroy();
      return undefined;
    }
    if (set_tcp_nodelay) socket.setNoDelay(true);
    if (protocol !== 'mqtt' || proxy !== undefined) remember(socket, source, admitted);
    const { address: remoteAddress, port: remotePort } = source;
    return { protocol, listener: this.name, remoteAddress, remotePort, admitted, tls: undefined };
  }
}

function upperServer(
  options: ListenerOptions,
  tls: NodeTlsOptions | undefined,
  owner: ListenerOwner,
  name: () => string,
): TlsServer | HttpServer | undefined {
  const { protocol, webSocket, set_tcp_nodelay } = options;
  if (webSocket !== undefined) {
    const server = createWebSocketServer(webSocket, tls, (socket, request) => {
      const secure = tls === undefined ? undefined : (request.socket as TLSSocket);
      const origin = originOf(protocol, name(), request.socket, secure);
      request.socket.setNoDelay(set_tcp_nodelay); // ws has switched it on
      owner.accepted(new WebSocketWire(socket, origin, request.socket, 2 * webSocket.maximumMessage));
    });
    if (tls !== undefined) watchHandshakes(server, owner, (socket) => originOf(protocol, name(), socket, undefined));
    return server;
  }
  if (tls === undefined) return undefined;
  const server = createTlsServer(tls, (socket) => {
    owner.accepted(SocketWire.overStream(socket, originOf(protocol, name(), socket, socket)));
  });
  watchHandshakes(server, owner, (socket) => originOf(protocol, name(), socket, undefined));
  return server;
}

function watchHandshakes(
  server: TlsServer | HttpServer,
  owner: ListenerOwner,
  origin: (socket: Socket) => WireOrigin,
): void {
  (server as TlsServer).on('secureConnection', finishHandshake);
  (server as TlsServer).on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    finishHandshake(socket);
    owner.rejected(origin(socket), error.code ?? error.message);
    socket.destroy();
  });
}

function tlsServerOptions(
  { tls, handshakeDeadline }: ListenerOptions,
  material: SecureContextOptions,
  owner: ListenerOwner,
  names: ServerNames,
): NodeTlsOptions {
  const pskCallback = pskLookup((identity) => owner.keyOf(identity));
  return {
    ...(tls?.psk_file === undefined ? {} : { pskCallback }),
    // Node.js asks in each handshake.
    ...(tls === undefined || tls.more_certificates.length === 0
      ? {}
      : { SNICallback: (name, done) => done(null, names.contextOf(name)) }),
    ...material,
    // Whether a certificate is needed and good is judged when the client has said who it is: a refusal then has a reason.
    requestCert: tls?.request_certificate === true,
    rejectUnauthorized: false,
    ALPNProtocols: [...(tls?.alpn ?? [])],
    handshakeTimeout: handshakeDeadline,
  };
}

function listen(server: Server, { bind, port, protocol }: ListenerOptions): Promise<void> {
  const attempt = (host: string): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: 4096 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  const first = bind === '*' ? '::' : bind;
  return attempt(first)
    .catch((error: NodeJS.ErrnoException) => {
      if (bind === '*' && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')) return attempt('0.0.0.0');
      throw error;
    })
    .catch((cause: NodeJS.ErrnoException) => {
      const where = `${protocol} ${bind}:${port}`;
      if (cause.code === 'EADDRINUSE') {
        throw new OperatorError('listener.port_in_use', `port ${port} is in use: cannot listen for ${where}`, {
          hint: 'stop the other program, or choose another port',
          cause,
        });
      }
      throw new OperatorError('listener.cannot_bind', `cannot listen for ${where}: ${cause.message}`, { cause });
    });
}
