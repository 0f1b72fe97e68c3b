import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | undefined;

/**
 * Collects the garbage among what was allocated last, which takes as long as there is of it that is not garbage.
 *
 * Left alone V8 does so when 16 megabytes have gathered. Work in small slices that keeps all that it makes is held up then
 * for as long as ten of its slices.
 */
export function collectYoungGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc'); // the one way to V8's collector without a flag on the command line
    collect = runInNewContext('gc') as Collect;
  }
  // It is little: threads that share the work would be waited for longer than they help, where a core has other work.
  setFlagsFromString('--no-parallel-scavenge');
  collect({ type: 'minor' });
  setFlagsFromString('--parallel-scavenge');
}
