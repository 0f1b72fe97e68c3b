import { z } from 'zod';
import { policySchema } from './policy-schema.js';

/** JSON Schema of `policy.yaml` as it may be written. */
export function policyJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(policySchema, { io: 'input' });
}
