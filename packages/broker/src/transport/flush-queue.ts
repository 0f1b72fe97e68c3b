/** What gathers bytes to send, and sends them on request. */
export interface Flushable {
  /** The look in which it was last flushed. Here, and not in a set of who was: such a set keeps those that have gone. */
  lastLook: number;
  flush(): void;
}

/** So many reads pass before it is looked whether gathering over turns is worth it; and so many turns, while it is done. */
const readsBetweenLooks = 32;
const turnsBetweenLooks = 256;
/** What a look looks at. In a crowd nobody is flushed to twice in so few turns; of few clients that are busy everybody is. */
const turnsOfLook = 2;
/** With so many outboxes waiting, those that came first do not wait for the others: each holds memory until it is flushed. */
const mostWaiting = 4_096;
/** Reads a turn, in the running mean, below which gathering over the turn costs more than it saves. */
const worthGathering = 1.25;

/**
 * The outboxes that have something to send. While a read is being handled they gather. Each read is followed by its
 * flush, unless turns of the loop bring several reads that have something for the same few: then one flush follows all
 * of a turn.
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
  /** Reads, or, while gathering, turns. */
  private untilLook = readsBetweenLooks;
  /** Whether the end of the turn is waited for, and how many reads it has brought since. */
  private turnEnds = false;
  private reads = 0;
  private mean = 0;
  /** How many turns are still looked at, and the number of this look, or of the next. */
  private turnsToLook = 0;
  private looks = 1;
  private pressing = false;
  private readonly afterMicrotasks = (): void => {
    this.scheduled = false;
    this.flush();
  };
  private readonly afterTurn = (): void => {
    this.turnEnds = false;
    this.mean += (this.reads - this.mean) / 8;
    if (this.overTurns) this.goOn();
    else this.lookOn();
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
    if (!this.overTurns && this.turnsToLook === 0) this.turnsToLook = turnsOfLook;
    setImmediate(this.afterTurn);
  }

  /** Looks at the next turn, too, or at none for some time. */
  private lookOn(): void {
    if (--this.turnsToLook === 0) this.looks++;
    this.untilLook = this.turnsToLook > 0 ? 1 : readsBetweenLooks;
  }

  /** Ends gathering over turns that bring one read, and, for the next turn to be looked at, after some of them. */
  private goOn(): void {
    const ones = this.reads === 1 && this.mean < worthGathering;
    this.overTurns = !ones && --this.untilLook > 0;
    if (!this.overTurns) this.untilLook = ones ? readsBetweenLooks : 1;
  }

  /** Who is flushed for the second time so soon will wait for the end of the turn. */
  private look(outbox: Flushable): void {
    if (outbox.lastLook !== this.looks) {
      outbox.lastLook = this.looks;
      return;
    }
    this.overTurns = true;
    this.untilLook = turnsBetweenLooks;
    this.turnsToLook = 0;
    this.looks++;
  }

  private flush(): void {
    this.pressing = false;
    const { waiting, count } = this;
    this.waiting = this.spare;
    this.count = 0;
    for (let index = 0; index < count; index++) {
      const outbox = waiting[index] as Flushable;
      waiting[index] = nobody;
      if (this.turnsToLook > 0) this.look(outbox);
      outbox.flush();
    }
    this.spare = waiting;
  }
}

/** In the places of those that have been flushed, which nothing is to hold. */
const nobody: Flushable = { lastLook: 0, flush: () => undefined };
