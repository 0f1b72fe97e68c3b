import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const host = '127.0.0.1';
/** A full store and a busy machine take their time. */
const patienceMs = 120_000;

/** Resolves when `port` accepts connections; rejects when the process ends before, or takes too long. */
export function portReady(child: ChildProcess, port: number): Promise<void> {
  return becomes(child, () => accepts(port));
}

/** Resolves when `path` is there; rejects as {@link portReady}. */
export function fileReady(child: ChildProcess, path: string): Promise<void> {
  return becomes(child, async () => existsSync(path));
}

async function becomes(child: ChildProcess, isReady: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await wait(20)) {
    if (child.pid === undefined) throw new Error('could not be started');
    if (child.exitCode !== null) throw new Error(`ended with code ${child.exitCode} before it was ready`);
    if (await isReady()) return;
  }
  throw new Error(`was not ready within ${patienceMs / 1000} s`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
