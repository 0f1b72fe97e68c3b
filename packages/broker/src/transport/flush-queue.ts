/** What gathers bytes to send, and sends them on request. */
export interface Flushable {
  flush(): void;
}

/** So many reads, or turns that were gathered over, pass before it is looked again whether gathering saves anything. */
const betweenLooks = 32;
/** With so many outboxes waiting, those that came first do not wait for the others: each holds memory until it is flushed. */
const mostWaiting = 4_096;
/** Reads a turn, in the running mean, below which gathering over the turn costs more than it saves. */
const worthGathering = 1.25;

/**
 * The outboxes that have something to send. While a read is being handled they gather. Each read is followed by its
 * flush, unless one outbox gets something from several reads of one turn of the loop: then one flush follows them all.
 *
 * ```
 *   apart:     read flush | read flush read flush | read flush
 *   together:  read read read read flush | read read read flush
 * ```
 *
 * What is appended outside a read (timers, answers that waited for the disk) is flushed at the end of the current
 * microtasks.
 */
export class FlushQueue {
  private waiting: Flushable[] = [];
  private spare: Flushable[] = [];
  /** How many of {@link waiting} do: setting the length of an array costs more than a flush should. */
  private count = 0;
  private reading = false;
  private scheduled = false;
  private overTurns = false;
  private untilLook = betweenLooks;
  /** Whether the end of the turn is waited for, and how many reads it has brought since. */
  private turnEnds = false;
  private reads = 0;
  private mean = 0;
  /** Whether this turn is looked at, and who was flushed in it. */
  private looking = false;
  private readonly flushed = new Set<Flushable>();
  private pressing = false;
  private readonly afterMicrotasks = (): void => {
    this.scheduled = false;
    this.flush();
  };
  private readonly afterTurn = (): void => {
    this.turnEnds = false;
    this.looking = false;
    this.flushed.clear();
    this.mean += (this.reads - this.mean) / 8;
    if (this.overTurns) this.goOn();
    this.flush();
  };

  add(outbox: Flushable): void {
    if (this.count >= mostWaiting) this.flush();
    this.waiting[this.count++] = outbox;
    if (!this.reading && !this.scheduled) {
      this.scheduled = true;
      queueMicrotask(this.afterMicrotasks);
    }
  }

  /** One of them has gathered so much that it must not wait for the end of the turn. */
  press(): void {
    this.pressing = true;
  }

  /** Gathers from here on, until {@link endRead}. */
  beginRead(): void {
    this.reading = true;
  }

  endRead(): void {
    this.reading = false;
    this.reads++;
    if (!this.turnEnds && (this.overTurns || --this.untilLook === 0)) this.awaitTurn();
    if (this.count > 0 && (!this.overTurns || this.pressing)) this.flush();
  }

  private awaitTurn(): void {
    this.turnEnds = true;
    this.reads = 1;
    if (!this.overTurns) {
      this.looking = true;
      this.untilLook = betweenLooks;
    }
    setImmediate(this.afterTurn);
  }

  /** Ends gathering over turns that bring one read, and, for the next turn to be looked at, after some of them. */
  private goOn(): void {
    const ones = this.reads === 1 && this.mean < worthGathering;
    this.overTurns = !ones && --this.untilLook > 0;
    if (!this.overTurns) this.untilLook = ones ? betweenLooks : 1;
  }

  /** Who is flushed for the second time in a turn could have waited for its end, and will. */
  private look(outbox: Flushable): void {
    if (this.flushed.has(outbox)) this.overTurns = true;
    else this.flushed.add(outbox);
  }

  private flush(): void {
    this.pressing = false;
    const { waiting, count } = this;
    this.waiting = this.spare;
    this.count = 0;
    for (let index = 0; index < count; index++) {
      const outbox = waiting[index] as Flushable;
      waiting[index] = nobody;
      if (this.looking) this.look(outbox);
      outbox.flush();
    }
    this.spare = waiting;
  }
}

/** In the places of those that have been flushed, which nothing is to hold. */
const nobody: Flushable = { flush: () => undefined };
