import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fromHex } from '@moat/testkit';
import { connectPacket } from '@moat/testkit/packets';
import type { Target } from './broker/broker.js';
import { dial } from './dial.js';
import { clientIdOf } from './workload/client.js';

/** A client that sends as fast as it is read, and comes back when it is thrown out. */
export interface Torrent {
  readonly name: string;
  /** Its index among the sources. */
  readonly from: number;
  readonly signal: AbortSignal;
  /** What comes next on this connection; undefined when there is no more. */
  next(): Uint8Array | undefined;
}

/** What it came to. */
export interface Flow {
  readonly bytes: number;
  /** How often it had to connect. */
  readonly connections: number;
}

/** Milliseconds before it comes back, and between two looks at how much is still to be sent. */
const recovery = 100;
const lookEvery = 20;

/** Sends all that `next` gives, or as much as goes until the time is over. */
export async function pour({ address, insider }: Target, { name, from, signal, next }: Torrent): Promise<Flow> {
  const { credentials } = insider;
  const connect = fromHex(
    connectPacket(4, { ...credentials, clientId: clientIdOf(credentials, name), keepAlive: 600 }),
  );
  let bytes = 0;
  let connections = 0;
  for (let isOver = false; !isOver && !signal.aborted; ) {
    const socket = dial(address, from);
    connections++;
    socket.resume();
    socket.on('error', () => {});
    socket.write(connect);
    isOver = await empty(socket, signal, next);
    bytes += socket.bytesWritten;
    socket.destroy();
    if (!isOver) await pause(recovery);
  }
  return { bytes, connections };
}

/** Whether all was sent, and taken. */
async function empty(socket: Socket, signal: AbortSignal, next: () => Uint8Array | undefined): Promise<boolean> {
  while (!signal.aborted && !socket.destroyed) {
    const chunk = next();
    if (chunk === undefined) {
      while (socket.writableLength > 0 && !socket.destroyed && !signal.aborted) await pause(lookEvery);
      return !socket.destroyed;
    }
    if (!socket.write(chunk)) await drained(socket, signal);
    else await new Promise(setImmediate);
  }
  return false;
}

function drained(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
    signal.addEventListener('abort', done);
    if (signal.aborted || socket.destroyed) done();
  });
}
