import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collector = (options?: { readonly type: 'minor' }) => void;

let known: Collector | undefined;

/** Collects all garbage now, which takes about a millisecond for a megabyte that is in use. */
export function collectGarbage(): void {
  collector()();
}

/**
 * Collects the garbage among what was allocated last, which takes as long as there is of it that is not garbage.
 *
 * Left alone V8 does so when 16 megabytes have gathered. Work in small slices that keeps all that it makes is held up then
 * for as long as ten of its slices.
 */
export function collectYoungGarbage(): void {
  const collect = collector();
  // It is little: threads that share the work would be waited for longer than they help, where a core has other work.
  setFlagsFromString('--no-parallel-scavenge');
  collect({ type: 'minor' });
  setFlagsFromString('--parallel-scavenge');
}

/** The one way to V8's collector without a flag on the command line. */
function collector(): Collector {
  if (known === undefined) {
    setFlagsFromString('--expose-gc');
    known = runInNewContext('gc') as Collector;
  }
  return known;
}
