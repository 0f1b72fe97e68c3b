/** Quotes a word for a POSIX shell where it needs it, so that a line can be copied and run. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
