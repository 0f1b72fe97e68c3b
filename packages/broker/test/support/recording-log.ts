import type { Log } from '../../dist/index.js';
import { silent } from './broker.js';

/** A log that keeps the security events, each as its code and what else was asked for. */
export function recordingLog(
  of: (fields: { readonly event?: string; readonly username?: string; readonly reason?: string }) => string,
) {
  const events: string[] = [];
  const log: Log = { ...silent, info: (fields) => void events.push(of(fields)) };
  return { events, log };
}
