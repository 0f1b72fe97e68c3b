import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { patience } from './deadline.js';

/** A port of 127.0.0.1 on which nothing listens at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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
