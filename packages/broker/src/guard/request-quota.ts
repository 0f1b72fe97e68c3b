import { TokenBucket } from './token-bucket.js';

/** Askers that are remembered; a new one beyond them takes the place of the one that asked first. */
const maxAskers = 10_000;

/**
 * How often something dear may be asked for: by everybody together in a minute, and by each asker in an hour.
 * A refused request costs its asker nothing.
 */
export class RequestQuota {
  private readonly askers = new Map<string, TokenBucket>();
  private readonly all = new TokenBucket(0);

  /** @param now milliseconds of any clock that does not go back */
  take(asker: string, perMinute: number, perAskerHour: number, now: number): boolean {
    const own = this.askers.get(asker) ?? new TokenBucket(now);
    const takeOwn = (count: number): boolean => own.take(count, perAskerHour / 3_600, perAskerHour, now);
    if (!takeOwn(1)) return false;
    if (!this.all.take(1, perMinute / 60, perMinute, now)) {
      takeOwn(-1);
      return false;
    }
    if (!this.askers.has(asker) && this.askers.size >= maxAskers)
      this.askers.delete(this.askers.keys().next().value ?? '');
    this.askers.set(asker, own);
    return true;
  }
}
