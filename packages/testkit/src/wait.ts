import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { patience } from './deadline.js';

/** Below those that systems give to the clients' ends of connections: a broker that comes back finds its port free. */
const [lowest, highest] = [20_000, 32_000];

/** Ports that were asked for and may not be in use yet. */
const given = new Set<number>();

/** A port of 127.0.0.1 on which nothing listens at this moment, and that no client's end of a connection will take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (given.has(port) || !(await isFree(port)) || given.has(port)) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * Asks until the answer is truthy, and gives it: for what announces itself by no event.
 *
 * @param timeout in milliseconds
 * @throws when it never was; with the predicate's own last error, if it threw
 */
export async function waitFor<T>(
  predicate: () => T | Promise<T>,
  { timeout = patience, what = predicate.toString() }: { timeout?: number; what?: string } = {},
): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    const { answer, error } = await attempt(predicate);
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`waited ${timeout} ms for ${what}`, { cause: error });
    await pause(10);
  }
}

async function attempt<T>(predicate: () => T | Promise<T>): Promise<{ answer?: T; error?: unknown }> {
  try {
    return { answer: await predicate() };
  } catch (error) {
    return { error };
  }
}
