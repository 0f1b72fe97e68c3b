/** How many handshakes begin in one turn of the event loop: about five milliseconds of work. */
const perTurn = 4;
/** Milliseconds that a handshake has for itself, whoever waits: several round trips around the world. */
const ownTime = 1_000;

/** A handshake on its way through the gate. */
export interface Handshake {
  begin(): void;
  /** Gives it up: it has had its time, and others wait. */
  abandon(): void;
}

/**
 * Lets a bounded number of handshakes go on at once, and few begin in one turn, so that a flood of them cannot
 * starve the clients that are connected already. One that makes no progress holds its place for a second; after that
 * the oldest gives way to those that wait, so that handshakes which are begun and left lying stop nobody.
 */
export class HandshakeGate {
  /** In the order in which they began. */
  private readonly underWay = new Map<Handshake, number>();
  private begunThisTurn = 0;
  private turnScheduled = false;
  private waiting: Handshake[] = [];
  private head = 0;
  private timer: NodeJS.Timeout | undefined = undefined;
  /** How many have given way. */
  abandoned = 0;

  constructor(
    private readonly limits: { readonly max_handshakes: number },
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Handshakes going on. */
  get active(): number {
    return this.underWay.size;
  }

  /** Begins it when there is room, at once if there is; the caller calls {@link leave} when it has ended. */
  enter(handshake: Handshake): void {
    if (this.head === this.waiting.length && this.hasRoom) this.start(handshake);
    else {
      this.waiting.push(handshake);
      this.displace();
    }
  }

  leave(handshake: Handshake): void {
    if (this.underWay.delete(handshake)) this.next();
  }

  private get hasRoom(): boolean {
    return this.underWay.size < this.limits.max_handshakes && this.begunThisTurn < perTurn;
  }

  private start(handshake: Handshake): void {
    this.underWay.set(handshake, this.clock());
    this.begunThisTurn++;
    if (!this.turnScheduled) {
      this.turnScheduled = true;
      setImmediate(() => {
        this.turnScheduled = false;
        this.begunThisTurn = 0;
        this.next();
      });
    }
    handshake.begin();
  }

  private next(): void {
    while (this.head < this.waiting.length && this.hasRoom) {
      const handshake = this.waiting[this.head++];
      if (this.head === this.waiting.length) {
        this.waiting = [];
        this.head = 0;
      }
      if (handshake !== undefined) this.start(handshake);
    }
    this.displace();
  }

  /** Somebody waits, and all places are taken: the oldest goes once its time is over. */
  private displace(): void {
    if (this.head === this.waiting.length || this.underWay.size < this.limits.max_handshakes) return;
    const [oldest] = this.underWay;
    if (oldest === undefined || this.timer !== undefined) return;
    const left = ownTime - (this.clock() - oldest[1]);
    this.timer = setTimeout(() => this.giveWay(), Math.max(0, left));
    this.timer.unref();
  }

  /** As many as wait, of those whose time is over. */
  private giveWay(): void {
    this.timer = undefined;
    const over = this.clock() - ownTime;
    let wanted = this.waiting.length - this.head;
    for (const [handshake, since] of this.underWay) {
      if (since > over || wanted-- <= 0) break;
      this.underWay.delete(handshake);
      this.abandoned++;
      handshake.abandon();
    }
    this.next();
  }
}
