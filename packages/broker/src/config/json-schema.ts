import { z } from 'zod';
import { configurationSchema } from './schema.js';

/** The JSON Schema (draft 2020-12) of `moat.yaml` as a person may write it, for editors. */
export function configurationJsonSchema(): z.core.JSONSchema.BaseSchema {
  return { title: 'Configuration of Moat', ...z.toJSONSchema(configurationSchema, { io: 'input' }) };
}
