/** The steps of an overload begin at the limit, and have half of it more in which to help. */
const beyond = 1.5;

/**
 * Bytes that wait for clients, of all of them together: what their sockets have not taken, and the messages that are kept
 * for them. A message counts once, however many wait for it.
 */
export class Buffered {
  bytes = 0;
  /** Whether somebody was told no since it was last asked: what waits for room wants to be told. */
  private refused = false;

  /** @param limits read anew each time */
  constructor(private readonly limits: { readonly max_buffered_bytes: number }) {}

  /** Whether so many more may be taken. */
  hasRoom(bytes: number): boolean {
    if (this.bytes + bytes <= beyond * this.limits.max_buffered_bytes) return true;
    this.refused = true;
    return false;
  }

  /** Whether there is room again where there was none; true once. */
  recovered(): boolean {
    if (!this.refused || !this.hasRoom(0)) return false;
    this.refused = false;
    return true;
  }
}
