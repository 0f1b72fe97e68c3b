/** Loaded into the broker under test before all else: collects garbage when asked over IPC, and tells what is left. */
import { readdirSync } from 'node:fs';

/** What a broker holds when nothing goes on. */
export interface Measure {
  /** Bytes of the heap and beside it, garbage collected. */
  readonly memory: number;
  readonly descriptors: number;
}

process.on('message', () => {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('needs --expose-gc');
  for (let times = 0; times < 3; times++) gc();
  const { heapUsed, external } = process.memoryUsage();
  const measure: Measure = { memory: heapUsed + external, descriptors: readdirSync('/proc/self/fd').length };
  process.send?.(measure);
});
// Asking is no reason to stay.
process.channel?.unref();
