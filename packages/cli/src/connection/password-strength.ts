/** NIST SP 800-63B §5.1.1.2: shorter ones are not to be used at all. */
const shortest = 8;

/**
 * What is plainly wrong with a password, behind "but"; undefined when nothing is. No more than that can be said of one
 * honestly: whether it stands in a list of stolen ones, nobody here can know.
 */
export function weaknessOf(password: string, username: string): string | undefined {
  const characters = [...password];
  if (characters.length < shortest) return `it has less than ${shortest} characters, and would be guessed soon`;
  if (password.toLowerCase().includes(username.toLowerCase())) return 'it holds the user name, which is tried first';
  if (new Set(characters).size < shortest / 2) return 'it is made of very few different characters';
  return undefined;
}
