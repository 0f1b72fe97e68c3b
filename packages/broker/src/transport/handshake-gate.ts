import { Fifo } from '../fifo.js';

/** How many handshakes begin in one turn of the event loop: about five milliseconds of work. */
const perTurn = 4;
/** Milliseconds that a handshake has for itself, whoever waits: several round trips around the world. */
const ownTime = 1_000;
/** Of the places, those that strangers leave to addresses that are known. */
const keptForKnown = 0.1;

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
 *
 * Addresses from which somebody has proven who it is begin before strangers, and have the last places for themselves: a flood of
 * strangers makes strangers wait.
 */
export class HandshakeGate {
  /** In the order in which they began. */
  private readonly underWay = new Map<Handshake, number>();
  private begunThisTurn = 0;
  private turnScheduled = false;
  private readonly known = new Fifo<Handshake>();
  private readonly strangers = new Fifo<Handshake>();
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
  enter(handshake: Handshake, isKnown = false): void {
    (isKnown ? this.known : this.strangers).push(handshake);
    this.next();
  }

  leave(handshake: Handshake): void {
    if (this.underWay.delete(handshake)) this.next();
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
    while (this.begunThisTurn < perTurn) {
      const handshake = this.lineWithRoom?.shift();
      if (handshake === undefined) break;
      this.start(handshake);
    }
    this.displace();
  }

  /** Whose turn it is, if there is a place for them. */
  private get lineWithRoom(): Fifo<Handshake> | undefined {
    const line = this.known.length > 0 ? this.known : this.strangers;
    return this.isFullFor(line) ? undefined : line;
  }

  private isFullFor(line: Fifo<Handshake>): boolean {
    const { max_handshakes: places } = this.limits;
    return this.underWay.size >= (line === this.known ? places : Math.ceil(places * (1 - keptForKnown)));
  }

  /** Those for whom all places are taken. */
  private get locked(): number {
    const shut = [this.known, this.strangers].filter((line) => this.isFullFor(line));
    return shut.reduce((sum, { length }) => sum + length, 0);
  }

  /** Somebody waits, and all places are taken: the oldest goes once its time is over. */
  private displace(): void {
    const [oldest] = this.underWay;
    if (oldest === undefined || this.timer !== undefined || this.locked === 0) return;
    const left = ownTime - (this.clock() - oldest[1]);
    this.timer = setTimeout(() => this.giveWay(), Math.max(0, left));
    this.timer.unref();
  }

  /** As many as wait, of those whose time is over. */
  private giveWay(): void {
    this.timer = undefined;
    const over = this.clock() - ownTime;
    let wanted = this.locked;
    for (const [handshake, since] of this.underWay) {
      if (since > over || wanted-- <= 0) break;
      this.underWay.delete(handshake);
      this.abandoned++;
      handshake.abandon();
    }
    this.next();
  }
}
