/** How long to wait between attempts to connect, in milliseconds. */
export interface Backoff {
  /** Before the first attempt. */
  readonly minimum: number;
  readonly maximum: number;
}

export const defaultBackoff: Backoff = { minimum: 500, maximum: 60_000 };

/**
 * Milliseconds to wait before attempt number `attempt` (from 0): doubles each time up to the maximum, and half of it is
 * random, so that a fleet that lost its broker does not come back in one wave.
 *
 * @param random a number in [0, 1)
 */
export function delayBefore(attempt: number, random: number, { minimum, maximum }: Backoff = defaultBackoff): number {
  const ceiling = Math.min(maximum, minimum * 2 ** Math.min(attempt, 30));
  return Math.ceil(ceiling / 2 + (ceiling / 2) * random);
}
