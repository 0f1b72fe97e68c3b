/** How many handshakes begin in one turn of the event loop: about five milliseconds of work. */
const perTurn = 4;

/**
 * Lets a bounded number of handshakes go on at once, and few begin in one turn, so that a flood of them cannot
 * starve the clients that are connected already.
 */
export class HandshakeGate {
  private underWay = 0;
  private begunThisTurn = 0;
  private turnScheduled = false;
  private waiting: (() => void)[] = [];
  private head = 0;

  constructor(private readonly limits: { readonly max_handshakes: number }) {}

  /** Handshakes going on. */
  get active(): number {
    return this.underWay;
  }

  /** Calls `begin` when there is room, at once if there is; the caller calls {@link leave} once for each begin. */
  enter(begin: () => void): void {
    if (this.head === this.waiting.length && this.hasRoom) this.start(begin);
    else this.waiting.push(begin);
  }

  leave(): void {
    this.underWay--;
    this.next();
  }

  private get hasRoom(): boolean {
    return this.underWay < this.limits.max_handshakes && this.begunThisTurn < perTurn;
  }

  private start(begin: () => void): void {
    this.underWay++;
    this.begunThisTurn++;
    if (!this.turnScheduled) {
      this.turnScheduled = true;
      setImmediate(() => {
        this.turnScheduled = false;
        this.begunThisTurn = 0;
        this.next();
      });
    }
    begin();
  }

  private next(): void {
    while (this.head < this.waiting.length && this.hasRoom) {
      const begin = this.waiting[this.head++];
      if (this.head === this.waiting.length) {
        this.waiting = [];
        this.head = 0;
      }
      if (begin !== undefined) this.start(begin);
    }
  }
}
