/** A hash that passwords can be held against. */
export interface PasswordHash {
  /** Scheme and parameters: equal for hashes that take equal work. */
  readonly cost: string;
  /** Whether it is of the scheme that this program makes; the others are made anew at the next good login. */
  readonly own: boolean;
  /** Whether the password has this hash. Runs outside of the event loop, and compares in constant time. */
  verify(password: Uint8Array): Promise<boolean>;
}
