/** Over with the drill, or after so many seconds. */
export function within(signal: AbortSignal, seconds: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(Math.round(seconds * 1_000))]);
}
