import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TlsOptions as NodeTlsOptions } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';

/** What an upgrade request must show. */
export interface WebSocketOptions {
  readonly path: string;
  /** Empty: every origin. */
  readonly allowed_origins: readonly string[];
  /** Bytes of the largest message. */
  readonly maximumMessage: number;
  /** Milliseconds for the whole upgrade request. */
  readonly deadline: number;
}

const subprotocols = ['mqtt', 'mqttv3.1'];

/**
 * An HTTP server that listens nowhere: it is handed accepted sockets, and hands out those that became WebSockets
 * with the subprotocol `mqtt`. Everything else is answered and closed.
 */
export function createWebSocketServer(
  options: WebSocketOptions,
  tls: NodeTlsOptions | undefined,
  connected: (socket: WebSocket, request: IncomingMessage) => void,
): Server {
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maximumMessage,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false, // [MQTT-6.0.0-4]
  });
  const answer = (_request: IncomingMessage, response: import('node:http').ServerResponse): void => {
    response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-type': 'text/plain' });
    response.end('MQTT over WebSocket only\n');
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  // Node.js keeps its own deadlines for requests only in a server that listens.
  const deadlines = new WeakMap<Duplex, NodeJS.Timeout>();
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Duplex) => {
    const deadline = setTimeout(() => socket.destroy(), options.deadline);
    deadlines.set(socket, deadline);
    socket.once('close', () => clearTimeout(deadline));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = refuse(request, options);
    if (refusal !== undefined) {
      socket.on('error', () => socket.destroy());
      socket.end(`HTTP/1.1 ${refusal} ${STATUS_CODES[refusal]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    clearTimeout(deadlines.get(socket));
    webSockets.handleUpgrade(request, socket, head, (webSocket) => connected(webSocket, request));
  });
  return server;
}

function refuse(request: IncomingMessage, { path, allowed_origins }: WebSocketOptions): number | undefined {
  const [requested] = (request.url ?? '').split('?');
  if (requested !== path) return 404;
  const { origin } = request.headers;
  if (allowed_origins.length > 0 && (origin === undefined || !allowed_origins.includes(origin))) return 403;
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!offered.some((name) => subprotocols.includes(name))) return 400; // [MQTT-6.0.0-3]
  return undefined;
}
