/** Askers that are remembered; a new one beyond them takes the place of the one that asked first. */
const maxAskers = 10_000;

/** A bucket that fills evenly: so many requests at once, and so many in a period. */
interface Bucket {
  left: number;
  /** Milliseconds. */
  since: number;
}

/**
 * How often something dear may be asked for: by everybody together in a minute, and by each asker in an hour.
 * A refused request costs its asker nothing.
 */
export class RequestQuota {
  private readonly askers = new Map<string, Bucket>();
  private readonly all: Bucket = { left: Number.POSITIVE_INFINITY, since: 0 };

  /** @param now milliseconds of any clock that does not go back */
  take(asker: string, perMinute: number, perAskerHour: number, now: number): boolean {
    const own = this.askers.get(asker) ?? { left: perAskerHour, since: now };
    fill(own, perAskerHour, now, 3_600_000);
    fill(this.all, perMinute, now, 60_000);
    if (own.left < 1 || this.all.left < 1) return false;
    own.left--;
    this.all.left--;
    if (!this.askers.has(asker) && this.askers.size >= maxAskers)
      this.askers.delete(this.askers.keys().next().value ?? '');
    this.askers.set(asker, own);
    return true;
  }
}

function fill(bucket: Bucket, most: number, now: number, period: number): void {
  bucket.left = Math.min(most, bucket.left + ((now - bucket.since) * most) / period);
  bucket.since = now;
}
