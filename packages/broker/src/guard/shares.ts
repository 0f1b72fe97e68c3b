import { TokenBucket } from './token-bucket.js';

/** Sources without a connection whose tokens are remembered. */
const mostIdle = 65_536;

/** What one source, an address or a network, has of the connections. */
export class Share extends TokenBucket {
  open = 0;
}

/**
 * The shares of all sources. One with open connections is always known; of the others so many that who comes back at
 * once does not find a full bucket. Bounded by the connections and `mostIdle`.
 */
export class Shares {
  private readonly shares = new Map<string, Share>();
  private idle = 0;

  get size(): number {
    return this.shares.size;
  }

  /** The share of a source; a new one counts as idle until it is {@link enter}ed. */
  of(source: string, now: number): Share {
    const known = this.shares.get(source);
    if (known !== undefined) return known;
    if (this.idle >= mostIdle) this.forgetIdle();
    const share = new Share(now);
    this.shares.set(source, share);
    this.idle++;
    return share;
  }

  enter(share: Share): void {
    if (share.open++ === 0) this.idle--;
  }

  leave(share: Share): void {
    if (--share.open === 0) this.idle++;
  }

  private forgetIdle(): void {
    for (const [source, share] of this.shares) if (share.open === 0) this.shares.delete(source);
    this.idle = 0;
  }
}
