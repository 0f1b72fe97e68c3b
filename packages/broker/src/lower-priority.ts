import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/** Steps of niceness: a tenth of the weight of the event loop. */
const lower = 10;

/** Has the thread that calls it give way to others. Linux gives each thread a priority of its own; elsewhere the whole process would get it. */
export function lowerPriority(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(constants.priority.PRIORITY_LOW, getPriority() + lower));
  } catch {
    // Without /proc its work is done all the same.
  }
}
