/** What is done while there is too much to do, in this order; each step comes on top of those before it. */
export const overloadSteps = ['refuse', 'pause', 'drop', 'disconnect'] as const;

export type OverloadStep = (typeof overloadSteps)[number];

/** How things stand. */
export interface Pressure {
  /** Milliseconds by which the event loop is late. */
  readonly delay: number;
  /** Percent in use of what there is: of the heap, or of the memory of the machine. */
  readonly memory: number;
  /** Bytes that wait for clients, in sockets and in queues in memory. */
  readonly buffered: number;
}

/** What each of them may be, in the same units. */
export type PressureLimits = Pressure;

/** Multiples of a limit at which the steps begin. */
const begins = [1, 1.1, 1.2, 1.3];
/** A step is left below this share of where it began, after so many calm looks in a row. */
const calmBelow = 0.8;
const calmLooks = 8;

/**
 * Goes up by one step at a look as long as things are worse than where the next step begins, and down by one after a
 * while in which they were clearly better: so it neither jumps nor swings.
 */
export class Overload {
  private level = 0;
  private calm = 0;

  /** How many steps are taken. */
  get steps(): number {
    return this.level;
  }

  has(step: OverloadStep): boolean {
    return this.level > overloadSteps.indexOf(step);
  }

  /** What has changed, if something has. */
  look(pressure: Pressure, limits: PressureLimits): { readonly [Change in 'entered' | 'left']?: OverloadStep } {
    const severity = severityOf(pressure, limits);
    const next = begins[this.level];
    if (next !== undefined && severity >= next) {
      this.calm = 0;
      return named('entered', overloadSteps[this.level++]);
    }
    const current = begins[this.level - 1];
    this.calm = current !== undefined && severity < current * calmBelow ? this.calm + 1 : 0;
    if (this.calm < calmLooks) return {};
    this.calm = 0;
    return named('left', overloadSteps[--this.level]);
  }
}

/** How far the worst of them is: 1 is at its limit. */
function severityOf(pressure: Pressure, limits: PressureLimits): number {
  return Math.max(pressure.delay / limits.delay, pressure.memory / limits.memory, pressure.buffered / limits.buffered);
}

function named(change: 'entered' | 'left', step: OverloadStep | undefined) {
  return step === undefined ? {} : { [change]: step };
}
