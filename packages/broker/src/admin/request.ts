import type { z } from 'zod';
import { OperatorError } from '../errors.js';

/** What a caller sent, as the schema wants it. @throws OperatorError `admin.invalid` */
export function requestOf<T>(schema: z.ZodType<T>, given: unknown): T {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  throw new OperatorError('admin.invalid', `the request makes no sense: ${issue?.path.join('.')}: ${issue?.message}`);
}
