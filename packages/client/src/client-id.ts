const letters = 'abcdefghijklmnopqrstuvwxyz';

/**
 * A client ID that nobody else has, so that nobody's session is taken over: for user N it is `N:` and random letters,
 * which the broker's default policy allows.
 *
 * @param random at least eight random bytes
 */
export function randomClientId(username: string | undefined, random: Uint8Array): string {
  const suffix = [...random.subarray(0, 8)].map((byte) => letters.charAt(byte % letters.length)).join('');
  return username === undefined ? `moat-${suffix}` : `${username}:${suffix}`;
}
