/**
 * What may be spent: it fills with `rate` tokens a second up to `depth`, and begins full. Time is the caller's, in
 * milliseconds of any clock that only goes forward; rates are too, so that a reload holds for buckets that there are.
 */
export class TokenBucket {
  private spent = 0;

  constructor(private at: number) {}

  /** Takes so many tokens, if there are as many. */
  take(count: number, rate: number, depth: number, now: number): boolean {
    this.refill(rate, now);
    if (this.spent + count > depth) return false;
    this.spent += count;
    return true;
  }

  /** Takes tokens whether or not they are there, and tells in how many milliseconds the debt will be paid. */
  borrow(count: number, rate: number, depth: number, now: number): number {
    this.refill(rate, now);
    this.spent += count;
    return this.spent <= depth ? 0 : ((this.spent - depth) * 1000) / rate;
  }

  private refill(rate: number, now: number): void {
    this.spent = Math.max(0, this.spent - ((now - this.at) * rate) / 1000);
    this.at = now;
  }
}
