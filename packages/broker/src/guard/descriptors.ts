import { readFileSync } from 'node:fs';

/** Descriptors that clients never get: for the store, the journal, listeners, files being read, and the admin socket. */
const reserved = 128;

/** Connections that the system has file descriptors for; without a bound where it does not say. */
export function connectionsByDescriptors(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Number(soft) - reserved);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
