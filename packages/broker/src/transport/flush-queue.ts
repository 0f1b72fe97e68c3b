/** What gathers bytes to send, and sends them on request. */
export interface Flushable {
  flush(): void;
}

/** So many reads pass before it is looked again whether several fall into one turn of the loop. */
const readsBetweenLooks = 32;
/** With so many outboxes waiting, those that came first do not wait for the others: each holds memory until it is flushed. */
const mostWaiting = 4_096;
/** Reads a turn, in the running mean, below which gathering over the turn costs more than it saves. */
const worthGathering = 1.25;

/**
 * The outboxes that have something to send. While a read is being handled they gather. When few clients send, each read
 * is followed by its flush; when many do, one turn of the loop brings many reads, and one flush follows them all:
 *
 * ```
 *   few:   read flush | read flush | read flush
 *   many:  read read read read flush | read read read flush
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
  private untilLook = readsBetweenLooks;
  /** Whether the end of the turn is waited for, and how many reads it has brought since. */
  private turnEnds = false;
  private reads = 0;
  private mean = 0;
  private pressing = false;
  private readonly afterMicrotasks = (): void => {
    this.scheduled = false;
    this.flush();
  };
  private readonly afterTurn = (): void => {
    this.turnEnds = false;
    this.mean += (this.reads - this.mean) / 8;
    this.overTurns = this.reads > 1 || (this.overTurns && this.mean >= worthGathering);
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
    this.untilLook = readsBetweenLooks;
    this.reads = 1;
    setImmediate(this.afterTurn);
  }

  private flush(): void {
    this.pressing = false;
    const { waiting, count } = this;
    this.waiting = this.spare;
    this.count = 0;
    for (let index = 0; index < count; index++) {
      const outbox = waiting[index] as Flushable;
      waiting[index] = nobody;
      outbox.flush();
    }
    this.spare = waiting;
  }
}

/** In the places of those that have been flushed, which nothing is to hold. */
const nobody: Flushable = { flush: () => undefined };
