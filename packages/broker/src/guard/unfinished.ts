/** Somebody of whose packets a part has come. */
export interface Beginner {
  /** Whether it has proven who it is. */
  readonly isProven: boolean;
  /** Gives up what it has begun, and all memory with it. */
  giveUp(): void;
}

/**
 * What is kept of packets that are not whole yet, of all clients together: reserved before it is taken, so that it
 * never is more than `max_unfinished_bytes`. Where there is no more, whoever began first gives up, strangers before
 * those who have proven who they are; so that a packet that arrives swiftly gets through, however many do not.
 */
export class Unfinished {
  /** In the order in which they began. */
  private readonly strangers = new Map<Beginner, number>();
  private readonly proven = new Map<Beginner, number>();
  private taken = 0;
  /** How many had to give up. */
  evicted = 0;

  /** @param limits read anew each time */
  constructor(private readonly limits: { readonly max_unfinished_bytes: number }) {}

  get bytes(): number {
    return this.taken;
  }

  /** False where it had to give up itself. */
  reserve(beginner: Beginner, bytes: number): boolean {
    const line = this.proven.has(beginner) || (beginner.isProven && !this.strangers.has(beginner));
    this.add(line ? this.proven : this.strangers, beginner, bytes);
    while (this.taken > this.limits.max_unfinished_bytes) {
      const [first] = this.strangers.size > 0 ? this.strangers.keys() : this.proven.keys();
      if (first === undefined) return true;
      this.evicted++;
      this.forget(first);
      first.giveUp();
      if (first === beginner) return false;
    }
    return true;
  }

  release(beginner: Beginner, bytes: number): void {
    for (const line of [this.strangers, this.proven]) if (line.has(beginner)) this.add(line, beginner, -bytes);
  }

  /** It is gone. */
  forget(beginner: Beginner): void {
    this.taken -= (this.strangers.get(beginner) ?? 0) + (this.proven.get(beginner) ?? 0);
    this.strangers.delete(beginner);
    this.proven.delete(beginner);
  }

  private add(line: Map<Beginner, number>, beginner: Beginner, bytes: number): void {
    const sum = (line.get(beginner) ?? 0) + bytes;
    this.taken += bytes;
    if (sum > 0) line.set(beginner, sum);
    else line.delete(beginner);
  }
}
