/** What a legitimate client met in some span of time. */
export interface Measured {
  readonly connects: Share;
  readonly messages: Share;
}

export interface Share {
  readonly tried: number;
  readonly succeeded: number;
  /** Milliseconds that 99 of 100 of those that succeeded took at most; undefined when none did. */
  readonly p99: number | undefined;
}

/** Counts what was tried, and how long what succeeded took. */
export class Tally {
  private tried = 0;
  private readonly times: number[] = [];

  begin(): void {
    this.tried++;
  }

  succeed(milliseconds: number): void {
    this.times.push(milliseconds);
  }

  get open(): number {
    return this.tried - this.times.length;
  }

  share(): Share {
    const sorted = this.times.sort((a, b) => a - b);
    return { tried: this.tried, succeeded: sorted.length, p99: sorted[Math.ceil(0.99 * sorted.length) - 1] };
  }
}

/** The share of what succeeded, from 0 to 1. */
export function rateOf({ tried, succeeded }: Share): number {
  return tried === 0 ? 1 : succeeded / tried;
}
