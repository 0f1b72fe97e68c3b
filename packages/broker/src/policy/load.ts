import { readFile } from 'node:fs/promises';
import { OperatorError } from '../errors.js';
import { Policy } from './compile.js';
import { readApart } from './read-apart.js';
import { type Format, readRules } from './read-rules.js';
import type { Effect } from './rule.js';

/** Bytes of text beyond which reading it would be felt by those who are connected. */
const shortText = 4_096;

/**
 * Makes a policy of text without holding the event loop up, however long it is.
 * @param text in UTF-8; it is another thread's from then on
 * @throws OperatorErrors
 */
export async function makePolicy(text: Buffer, file: string, format: Format, fallback: Effect): Promise<Policy> {
  const isShort = text.length <= shortText;
  const rules = isShort ? readRules(text.toString(), file, format) : await readApart(text, file, format);
  return Policy.gradually(rules, fallback);
}

/**
 * Reads the policy in a file.
 * @throws OperatorError, OperatorErrors `config.unreadable`, `policy.invalid`
 */
export async function loadPolicy(file: string, format: Format = 'either', fallback: Effect = 'deny'): Promise<Policy> {
  const text = await readFile(file).catch((cause: Error) => {
    throw new OperatorError('config.unreadable', `cannot read ${file}: ${cause.message}`, { cause });
  });
  return makePolicy(text, file, format, fallback);
}
