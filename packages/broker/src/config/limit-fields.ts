import { z } from 'zod';
import { type LimitName, limitTable } from './profiles.js';

/** The keys of limits, each within what may be written. */
export function limitFields<Name extends LimitName>(
  names: readonly Name[],
): Record<Name, z.ZodExactOptional<z.ZodInt>> {
  const fields = names.map((name) => {
    const { description, unit, least, most, strict, standard, off } = limitTable[name];
    const ceiling = off === Number.MAX_SAFE_INTEGER ? 'none' : off;
    const text = `${description}, in ${unit}. Default: ${standard} (strict ${strict}, off ${ceiling})`;
    return [name, z.int().min(least).max(most).exactOptional().describe(text)];
  });
  return Object.fromEntries(fields) as Record<Name, z.ZodExactOptional<z.ZodInt>>;
}
