/**
 * The fewest of these items for which `fails` still holds, as far as leaving out ever smaller runs of them tells; in
 * their order. `fails` is known to hold for all of them.
 */
export async function shrink<T>(items: readonly T[], fails: (fewer: readonly T[]) => Promise<boolean>): Promise<T[]> {
  let kept = [...items];
  for (let size = kept.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (fewer.length > 0 && (await fails(fewer))) kept = fewer;
      else at += size;
    }
  }
  return kept;
}
