import { isVersion6, subnetOf } from './address.js';
import { Flapping } from './flapping.js';
import { type Locked, Tally } from './tally.js';

/** What bounds guessing; the configuration's names and units. */
export interface LockOutLimits {
  readonly max_failures_per_address: number;
  readonly max_failures_per_pair: number;
  readonly max_failures_per_username: number;
  readonly max_malformed_per_address: number;
  readonly max_connects_per_clientid: number;
  readonly failure_window: number;
  readonly lockout_time: number;
  readonly max_lockout_time: number;
  readonly max_login_delay: number;
}

/** Something that failed once too often, until when it is locked out: milliseconds of the clock that was given. */
export interface LockedOut extends Locked {
  readonly kind: 'address' | 'pair' | 'clientid';
}

/** Pairs of address and user name that are remembered to have logged in. */
const mostKnown = 65_536;
/** Milliseconds of the first delay; each further failure doubles it. */
const firstDelay = 250;

/**
 * Counts failures by address, by user name, and by the two together. What is locked out is first the pair, so that one
 * misconfigured device does not lock out its neighbours, then the address; never a user name, so that nobody is kept out by
 * who guesses at his name elsewhere: that only makes the next guesses at it wait longer and longer. Names that have
 * logged in from an address before are spared when it is locked, and do not wait.
 *
 * Time is the caller's, in milliseconds of wall-clock; IPv6 addresses count by their /64.
 */
export class LockOut {
  private readonly addresses = new Tally();
  private readonly malformedBy = new Tally();
  private readonly pairs = new Tally();
  private readonly usernames = new Tally();
  private readonly flapping = new Flapping();
  /** By address, the names that have logged in from there; how many there are of both. */
  private readonly known = new Map<string, Set<string>>();
  private knownPairs = 0;
  /** The last one of `known`. */
  private latest = '';

  constructor(
    private readonly limits: LockOutLimits,
    /** Addresses that are never locked out. */
    private readonly exempt: (address: string) => boolean = () => false,
  ) {}

  /** Whether nobody from this address is let in, whatever it would say. */
  refusesAddress(address: string, now: number): boolean {
    const source = sourceOf(address);
    return !this.known.has(source) && this.isLocked(source, now);
  }

  /** Milliseconds that an attempt has to wait before it is judged; undefined when it is not judged at all. */
  delayOf(address: string, username: string, now: number): number | undefined {
    const source = sourceOf(address);
    if (this.exempt(address)) return 0;
    if (this.pairs.lockedUntil(pairOf(source, username), now) !== undefined) return undefined;
    if (this.knows(address, username)) return 0;
    if (this.isLocked(source, now)) return undefined;
    const excess = this.usernames.count(username) - this.limits.max_failures_per_username;
    return excess < 0 ? 0 : Math.min(this.limits.max_login_delay * 1000, firstDelay * 2 ** Math.min(excess, 20));
  }

  /** Whether this name has logged in from there before. */
  knows(address: string, username: string): boolean {
    return this.known.get(sourceOf(address))?.has(username) === true;
  }

  /** Whether anybody has logged in from there before. */
  knowsAddress(address: string): boolean {
    return this.known.has(sourceOf(address));
  }

  /** An attempt failed; tells what is locked out from now on, if that is new. */
  failed(address: string, username: string, now: number): LockedOut | undefined {
    const { limits } = this;
    const source = sourceOf(address);
    if (this.exempt(address)) return undefined;
    this.usernames.add(username, now, limits.failure_window * 1000);
    const pair = this.pairs.fail(pairOf(source, username), now, this.rule(limits.max_failures_per_pair));
    const whole = this.addresses.fail(source, now, this.rule(limits.max_failures_per_address));
    if (whole !== undefined) return { kind: 'address', ...whole };
    return pair && { kind: 'pair', ...pair };
  }

  /** What came from this address broke the protocol. */
  malformed(address: string, now: number): LockedOut | undefined {
    if (this.exempt(address)) return undefined;
    const rule = this.rule(this.limits.max_malformed_per_address);
    const locked = this.malformedBy.fail(sourceOf(address), now, rule);
    return locked && { kind: 'address', ...locked };
  }

  succeeded(address: string, username: string): void {
    const source = sourceOf(address);
    this.pairs.forget(pairOf(source, username));
    if (this.knownPairs >= mostKnown) this.forgetOldest();
    const names = this.known.get(source) ?? new Set();
    if (!names.has(username)) this.knownPairs++;
    else if (source === this.latest) return;
    this.latest = source;
    this.known.delete(source);
    this.known.set(source, names.add(username));
  }

  /** A client ID comes in; tells when it has come too often in a minute to be let in. */
  flaps(clientId: string, now: number): boolean {
    return this.flapping.connects(clientId, this.limits.max_connects_per_clientid, now);
  }

  /** All that is locked out at the moment. */
  *locked(now: number): Iterable<LockedOut> {
    for (const each of [...this.addresses.locked(now), ...this.malformedBy.locked(now)])
      yield { kind: 'address', ...each };
    for (const each of this.pairs.locked(now)) yield { kind: 'pair', ...each };
    for (const each of this.flapping.locked(now)) yield { kind: 'clientid', ...each };
  }

  /** Forgets the failures of an address; false when it was not locked out. */
  unlock(address: string, now: number): boolean {
    const source = sourceOf(address);
    const was = this.isLocked(source, now);
    this.addresses.forget(source);
    this.malformedBy.forget(source);
    const pairs = [...this.pairs.locked(now)].filter(({ what }) => what.startsWith(`${source} `));
    for (const { what } of pairs) this.pairs.forget(what);
    return was || pairs.length > 0;
  }

  private isLocked(source: string, now: number): boolean {
    const until = this.addresses.lockedUntil(source, now) ?? this.malformedBy.lockedUntil(source, now);
    return until !== undefined && !this.exempt(source);
  }

  private rule(most: number) {
    const { failure_window, lockout_time, max_lockout_time } = this.limits;
    return { most, window: failure_window * 1000, first: lockout_time * 1000, longest: max_lockout_time * 1000 };
  }

  private forgetOldest(): void {
    for (const [source, names] of this.known) {
      this.known.delete(source);
      this.knownPairs -= names.size;
      return;
    }
  }
}

/** What counts as one source. */
function sourceOf(address: string): string {
  return isVersion6(address) ? subnetOf(address, { ipv4: 32, ipv6: 64 }) : address;
}

function pairOf(source: string, username: string): string {
  return `${source} ${username}`;
}
