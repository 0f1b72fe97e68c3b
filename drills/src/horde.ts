import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Who attacks by connections. */
export interface Horde {
  /** How many are open at once. */
  readonly size: number;
  /** How many are opened at most, all told. */
  readonly most: number;
  readonly signal: AbortSignal;
  /** How many are opened in a second; as many as go unless given. */
  readonly pace?: number;
  /** Opens the one of this number; it is opened anew, with another number, when it has closed. */
  open(number: number): Socket;
}

/** What became of them. */
export interface Fate {
  readonly opened: number;
  /** Open at the same time, at the most: from this side. */
  readonly peak: number;
}

/** Opened in one turn of the loop, so that none of those that are open is forgotten over it. */
const burst = 50;
/** Milliseconds between two looks when all are open. */
const lookEvery = 5;

/** Keeps a number of connections open until the time is over or all have been opened; then ends them. */
export async function attackWith({ size, most, signal, pace = Number.POSITIVE_INFINITY, open }: Horde): Promise<Fate> {
  const alive = new Set<Socket>();
  let opened = 0;
  let peak = 0;
  const begun = performance.now();
  const mayOpen = (): boolean =>
    alive.size < size && opened < most && opened < (pace * (performance.now() - begun)) / 1_000;
  while (!signal.aborted && (opened < most || alive.size > 0)) {
    for (let each = 0; each < burst && mayOpen(); each++) {
      const socket = open(opened++);
      alive.add(socket);
      socket.on('error', () => {}).on('close', () => alive.delete(socket));
    }
    peak = Math.max(peak, alive.size);
    await (mayOpen() ? new Promise(setImmediate) : pause(lookEvery));
  }
  for (const socket of alive) socket.destroy();
  return { opened, peak };
}
