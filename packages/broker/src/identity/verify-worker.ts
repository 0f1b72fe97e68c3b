import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { parseHash } from './password-hash.js';
import type { VerifyTask } from './verify-apart.js';

/** Linux gives each thread a priority of its own; elsewhere the whole process would get it. */
function yieldToOthers(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Without /proc passwords are checked all the same.
  }
}

yieldToOthers();
parentPort?.on('message', ({ hash, password }: VerifyTask) => {
  parentPort?.postMessage(parseHash(hash)?.verify(password) ?? false);
});
