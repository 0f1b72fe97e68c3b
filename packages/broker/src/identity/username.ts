/** The longest user name, in characters. */
const maxUsernameLength = 64;

/**
 * What is wrong with a user name, or undefined. Names stand in topics, client IDs and lines of files, whether they come
 * from CONNECT or from a certificate: so they hold nothing that means something there, and nothing that cannot be seen.
 */
export function usernameProblem(username: string): string | undefined {
  if (username === '') return 'is empty';
  if ([...username].length > maxUsernameLength) return `has more than ${maxUsernameLength} characters`;
  if (/[:+#/]/.test(username)) return 'holds one of : + # /';
  if (username.startsWith('$')) return 'begins with $';
  if (username.trim() !== username) return 'begins or ends with a space';
  if (/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u.test(username)) return 'holds a character that cannot be printed';
  return undefined;
}
