import type { Publisher } from '../routing/retained.js';
import type { QueueLimits } from './outgoing-queue.js';

/** What bounds a session, and what its client has others keep. Limits change by being replaced as a whole. */
export interface Terms {
  readonly limits: QueueLimits & Publisher['limits'];
}
