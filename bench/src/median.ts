/** The middle one of some numbers, the upper of two; NaN where there is none. */
export function medianOf(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}
