import { isAcl, readAcl } from './mosquitto-acl.js';
import { policyPortions } from './parse.js';
import { collected, type Portions } from './portions.js';
import type { PolicyText } from './rule.js';

/** A policy of ours, a list of Mosquitto's, or whichever of them the text is. */
export type Format = 'policy' | 'acl' | 'either';

/**
 * Reads rules from text.
 * @throws OperatorErrors with every mistake in it
 */
export function readRules(text: string, file: string, format: Format): PolicyText {
  return collected(rulesPortions(text, file, format));
}

/** The same, portion by portion. */
export function* rulesPortions(text: string, file: string, format: Format): Portions {
  if (format !== 'acl' && (format !== 'either' || !isAcl(text))) return yield* policyPortions(text, file);
  const { rules, ...rest } = readAcl(text, file);
  yield rules;
  return rest;
}
