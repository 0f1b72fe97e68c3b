/** Bytes of one kind that are kept for all clients together. */
export class Budget {
  bytes = 0;

  /** @param most asked anew each time */
  constructor(private readonly most: () => number) {}

  /** Whether so many more may be kept. */
  hasRoom(bytes: number): boolean {
    return this.bytes + bytes <= this.most();
  }

  /** Keeps so many more, if they may be. */
  take(bytes: number): boolean {
    if (!this.hasRoom(bytes)) return false;
    this.bytes += bytes;
    return true;
  }
}
