/** Fewer leave too little behind to be worth anything. */
const crowd = 1_000;
/** Milliseconds in which those go who go with the others. */
const settling = 2_000;
/** Milliseconds from one time that it is told to the next. */
const least = 60_000;

/**
 * Tells that a crowd has gone: half of the most connections that there were since it was last told, and a thousand at least.
 * At most once a minute, and a while after the half was reached, so that those who go together are told of once.
 */
export class Ebb {
  private most = 0;
  /** Since when so many have gone. */
  private since: number | undefined = undefined;
  private toldAt = Number.NEGATIVE_INFINITY;

  /**
   * @param connections how many there are
   * @param now milliseconds of a monotonic clock
   */
  look(connections: number, now: number): boolean {
    this.most = Math.max(this.most, connections);
    const isLow = this.most - connections >= crowd && connections <= this.most / 2;
    this.since = isLow ? (this.since ?? now) : undefined;
    return this.since !== undefined && now - this.since >= settling && now - this.toldAt >= least;
  }

  /** What was told has been acted upon; until then it is told again. */
  told(connections: number, now: number): void {
    this.most = connections;
    this.since = undefined;
    this.toldAt = now;
  }
}
