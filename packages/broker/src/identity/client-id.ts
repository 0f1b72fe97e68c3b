import { randomBytes } from 'node:crypto';

/**
 * A client ID for a client that brought none: 144 random bits, so that nobody guesses one; behind the user name, where
 * there is one, so that the rules on its client IDs hold for this one too.
 */
export function assignClientId(username: string | undefined): string {
  const random = `auto-${randomBytes(18).toString('base64url')}`;
  return username === undefined ? random : `${username}:${random}`;
}
