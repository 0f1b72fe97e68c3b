import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { parseHash } from './password-hash.js';
import type { VerifyTask } from './verify-apart.js';

/** Steps of niceness: a tenth of the weight of the event loop. */
const lower = 10;

/** Linux gives each thread a priority of its own; elsewhere the whole process would get it. */
function yieldToOthers(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(constants.priority.PRIORITY_LOW, getPriority() + lower));
  } catch {
    // Without /proc passwords are checked all the same.
  }
}

if ((workerData as { readonly yields: boolean }).yields) yieldToOthers();
parentPort?.on('message', ({ hash, password }: VerifyTask) => {
  parentPort?.postMessage(parseHash(hash)?.verify(password) ?? false);
});
