/** Calls with 0, 1, … `count` - 1, so many at once, and keeps the results in order. */
export async function inTurns<T>(count: number, atOnce: number, call: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < count; start += atOnce) {
    const length = Math.min(atOnce, count - start);
    results.push(...(await Promise.all(Array.from({ length }, (_, index) => call(start + index)))));
  }
  return results;
}
