import type { LimitName } from './profiles.js';

/** How often each limit on what a client may spend was met, by its name in the configuration; those never met are left out. */
export type LimitHits = { [Name in LimitName]?: number };

/** A limit was met: something was refused, slowed down or lowered. */
export function hit(hits: LimitHits, name: LimitName): void {
  hits[name] = (hits[name] ?? 0) + 1;
}
