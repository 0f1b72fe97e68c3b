import { parentPort, workerData } from 'node:worker_threads';
import { lowerPriority } from '../lower-priority.js';
import { parseHash } from './password-hash.js';
import type { VerifyTask } from './verify-apart.js';

if ((workerData as { readonly yields: boolean }).yields) lowerPriority();
parentPort?.on('message', ({ hash, password }: VerifyTask) => {
  parentPort?.postMessage(parseHash(hash)?.verify(password) ?? false);
});
