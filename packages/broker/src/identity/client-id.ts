import { randomBytes } from 'node:crypto';

/** A client ID for a client that brought none: 120 random bits, so that nobody guesses one. */
export function assignClientId(): string {
  return `auto-${randomBytes(15).toString('base64url')}`;
}
