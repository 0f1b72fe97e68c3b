import { connect, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { Conversation, ListenerName } from './conversation.js';

/** Where a broker listens, and whom its certificate is from. */
export interface Doors {
  readonly ports: Readonly<Record<ListenerName, number>>;
  /** PEM of the authority. */
  readonly authority: string;
}

/** Milliseconds that a broker has to close a connection whose client has gone, on a machine with other things to do. */
const patience = 25_000;

/**
 * Opens a connection, says it all, and resolves when the connection is closed on both sides.
 * @param from an address of this machine
 * @throws when the broker takes no connection, or does not close one that the client has ended
 */
export function speak({ listener, chunks, ending }: Conversation, doors: Doors, from: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const secure = listener === 'mqtts' || listener === 'wss';
    const address = { host: '127.0.0.1', port: doors.ports[listener], localAddress: from, noDelay: true };
    const socket: Socket = secure ? connectTls({ ...address, ca: doors.authority }) : connect(address);
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`hang: the broker keeps a ${listener} connection open whose client has ended it`));
    }, patience);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(new Error(`the broker takes no connection: ${error.message}`));
    });
    socket.on('close', () => {
      clearTimeout(deadline);
      resolve();
    });
    if (ending !== 'unread') socket.resume();
    socket.once(secure ? 'secureConnect' : 'connect', () => write(socket, chunks, 0, () => leave(socket, ending)));
  });
}

function write(socket: Socket, chunks: readonly Uint8Array[], index: number, done: () => void): void {
  const chunk = chunks[index];
  if (chunk === undefined || !socket.writable) return done();
  socket.write(chunk);
  if (index + 1 === chunks.length) done();
  else setImmediate(() => write(socket, chunks, index + 1, done));
}

function leave(socket: Socket, ending: Conversation['ending']): void {
  if (ending === 'fin') socket.end();
  // Not before what was written has gone.
  else
    socket.write('', () =>
      ending === 'reset' && !(socket instanceof TLSSocket) ? socket.resetAndDestroy() : socket.destroy(),
    );
}
