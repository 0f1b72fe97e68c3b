/** A timer handed out by {@link TimerWheel}; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

class Entry implements Timer {
  constructor(
    /** Undefined once fired or cancelled, as the argument, so that an entry pins nothing while it waits in its slot. */
    public action: ((argument: unknown) => void) | undefined,
    public argument: unknown,
    public readonly dueTick: number,
  ) {}

  cancel(): void {
    this.action = undefined;
    this.argument = undefined;
  }
}

/**
 * One coarse timer for everything that expires: keep-alives, sessions, wills, deadlines.
 *
 * ```
 *  slots   [ . ][ a,b ][ . ][ c ] ... 512 of 250 ms, then around again
 *                ^ cursor: entries whose round has come fire, the others stay
 * ```
 *
 * The bargain: an action fires up to one tick (250 ms) late and never early; setting one costs a push, and
 * however many are set, the process wakes four times a second.
 */
export class TimerWheel {
  static readonly tick = 250;
  private static readonly slotCount = 512;
  private readonly slots: Entry[][] = Array.from({ length: TimerWheel.slotCount }, () => []);
  private ticks = 0;
  private readonly started: number;
  private readonly interval: NodeJS.Timeout;
  /** Whole milliseconds of a monotonic clock, as of the last tick: cheap to read and, having no fraction, to note; up to 251 ms old. */
  now = 0;

  constructor(private readonly clock: () => number = () => performance.now()) {
    this.started = clock();
    this.now = Math.floor(this.started);
    this.interval = setInterval(() => this.advance(), TimerWheel.tick);
    this.interval.unref();
  }

  /** Calls `action` after at least `milliseconds`. */
  after(milliseconds: number, action: () => void): Timer {
    return this.afterWith(milliseconds, action, undefined);
  }

  /** The same with an argument: where there are many timers, one function for all takes half the memory. */
  afterWith<T>(milliseconds: number, action: (argument: T) => void, argument: T): Timer {
    const due = Math.ceil((this.clock() - this.started + Math.max(0, milliseconds)) / TimerWheel.tick);
    const entry = new Entry(action as (argument: unknown) => void, argument, Math.max(due, this.ticks + 1));
    this.slot(entry.dueTick).push(entry);
    return entry;
  }

  /** Fires all that is due; called by the interval, and by tests with a clock of their own. */
  advance(): void {
    const now = this.clock();
    this.now = Math.floor(now);
    const target = Math.floor((now - this.started) / TimerWheel.tick);
    // After a long stall one full turn visits every slot; more turns would find nothing new.
    const from = Math.max(this.ticks, target - TimerWheel.slotCount);
    this.ticks = target;
    for (let tick = from + 1; tick <= target; tick++) this.fire(tick, target);
  }

  stop(): void {
    clearInterval(this.interval);
  }

  private slot(tick: number): Entry[] {
    return this.slots[tick % TimerWheel.slotCount] as Entry[];
  }

  private fire(tick: number, target: number): void {
    const slot = this.slot(tick);
    if (slot.length === 0) return;
    const due: Entry[] = [];
    let kept = 0;
    for (const entry of slot) {
      if (entry.action === undefined) continue;
      if (entry.dueTick <= target) due.push(entry);
      else slot[kept++] = entry;
    }
    slot.length = kept;
    for (const entry of due) {
      const { action, argument } = entry;
      entry.cancel();
      action?.(argument);
    }
  }
}
