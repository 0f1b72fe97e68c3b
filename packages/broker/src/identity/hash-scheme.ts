/** A hash that passwords can be held against. */
export interface PasswordHash {
  /** Scheme and parameters: equal for hashes that take equal work. */
  readonly cost: string;
  /** Whether it is of the scheme that this program makes; the others are made anew at the next good login. */
  readonly own: boolean;
  /** As it stands in a file. */
  readonly text: string;
  /** Whether the password has this hash; compares in constant time. Blocks the thread while it works. */
  verify(password: Uint8Array): boolean;
}
