import { isAcl, readAcl } from './mosquitto-acl.js';
import { readPolicy } from './parse.js';
import type { PolicyText } from './rule.js';

/** A policy of ours, a list of Mosquitto's, or whichever of them the text is. */
export type Format = 'policy' | 'acl' | 'either';

/**
 * Reads rules from text.
 * @throws OperatorErrors with every mistake in it
 */
export function readRules(text: string, file: string, format: Format): PolicyText {
  return format === 'acl' || (format === 'either' && isAcl(text)) ? readAcl(text, file) : readPolicy(text, file);
}
