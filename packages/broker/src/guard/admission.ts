import { subnetOf } from './address.js';
import { type Anonymous, type Closable, Guest } from './guest.js';
import { Guests } from './guests.js';
import { Share } from './shares.js';
import { type SourceLimits, SourceShares } from './source-shares.js';

/** What bounds connections, in all and by where they come from; the configuration's names and units. */
export interface AdmissionLimits extends SourceLimits {
  readonly max_connections: number;
  readonly connect_rate: number;
  readonly connect_burst: number;
  readonly connect_timeout: number;
  readonly max_anonymous_share: number;
  readonly subnet_prefix_ipv4: number;
  readonly subnet_prefix_ipv6: number;
}

/** What bounds the connections of one listener; without a rate of its own, that of the whole holds. */
export interface DoorLimits {
  readonly max_connections: number;
  readonly connect_rate?: number | undefined;
  /** Where there are any, connections through it are counted by themselves. */
  readonly limits?: { readonly [Name in keyof SourceLimits]?: SourceLimits[Name] };
}

/** Why somebody was not let in: which bound, of whom. */
export interface Refusal {
  readonly bound: 'connections' | 'connect_rate';
  readonly of: 'address' | 'subnet' | 'listener' | 'all';
}

/** Which addresses are treated otherwise than most. */
interface Privileges {
  /** No share and no rate of one address or network holds for it. */
  isExempt(address: string): boolean;
  /** Somebody has proven there who it is. */
  isKnown(address: string): boolean;
}

const nobody: Privileges = { isExempt: () => false, isKnown: () => false };
/** Of the tokens of a listener and of all, those that strangers leave to addresses that are known. */
const keptForKnown = 0.1;

/** Lets connections in. */
export interface Door {
  /** May be replaced while it is open. */
  limits: DoorLimits;
  readonly share: Share;
  /** Those of its own, once it has limits of its own on them. */
  sources: SourceShares | undefined;
}

/**
 * Judges connections the moment they are accepted, before anything else is spent on them: by address, network, listener and
 * in all, how many there are and how fast new ones come. Where the slots of a listener, or all, are taken, whoever
 * has not finished its CONNECT makes room, the oldest first; then the idlest client that nothing proves, if it has been silent for a while; never one
 * that has proven who it is. Where new connections come too fast in all, the last tokens are for addresses from which somebody has
 * proven who it is, so that a flood of strangers keeps strangers out alone.
 */
export class Admission {
  private readonly all: Share;
  private readonly sources = new SourceShares();
  readonly guests = new Guests();
  private last = { address: '', ipv4: 0, ipv6: 0, network: '' };

  /**
   * @param limits read anew each time
   * @param descriptors connections that the system has file descriptors for, those kept for the broker's own files and
   *   the admin socket left out
   */
  constructor(
    private readonly limits: AdmissionLimits,
    private readonly privileges = nobody,
    private readonly descriptors = Number.POSITIVE_INFINITY,
  ) {
    this.all = new Share(0);
  }

  get connections(): number {
    return this.all.open;
  }

  /** How many there may be. */
  get most(): number {
    return Math.min(this.limits.max_connections, this.descriptors);
  }

  door(limits: DoorLimits): Door {
    return { limits, share: new Share(0), sources: undefined };
  }

  /** @param now milliseconds of a monotonic clock */
  admit(door: Door, address: string, socket: Closable, now: number): Guest | Refusal {
    const { limits } = this;
    const own = ownLimitsOf(door, limits);
    const sources = own === undefined ? this.sources : sourcesOf(door);
    const from = this.privileges.isExempt(address) ? undefined : sources.of(address, this.networkOf(address), now);
    const refusal = from && sources.refusal(from, own ?? limits, limits.connect_burst, now);
    if (refusal !== undefined) return refusal;
    const isKnown = this.privileges.isKnown(address);
    const part = isKnown ? 1 : 1 - keptForKnown;
    const rate = door.limits.connect_rate ?? limits.connect_rate;
    if (!this.takeToken(door.share, rate, part, now)) return { bound: 'connect_rate', of: 'listener' };
    if (!this.takeToken(this.all, limits.connect_rate, part, now)) return { bound: 'connect_rate', of: 'all' };
    if (door.share.open >= door.limits.max_connections && !this.makeRoom(door, now))
      return { bound: 'connections', of: 'listener' };
    if (this.all.open >= this.most && !this.makeRoom(undefined, now)) return { bound: 'connections', of: 'all' };
    this.all.open++;
    door.share.open++;
    if (from !== undefined) sources.enter(from);
    return this.guests.add(
      new Guest(door, address, socket, isKnown, (guest) => {
        this.gone(guest);
        if (from !== undefined) sources.leave(from);
      }),
    );
  }

  /** Whether a client that nothing proves may have a slot; the last ones are kept for those that prove who they are. */
  hasRoomForAnonymous(): boolean {
    const share = Math.ceil((this.most * this.limits.max_anonymous_share) / 100);
    return this.guests.anonymous < share;
  }

  /** A CONNECT was accepted; without `client` it has proven who it is. */
  finished(admitted: unknown, client: Anonymous | undefined): void {
    if (admitted instanceof Guest) this.guests.finished(admitted, client);
  }

  /** An anonymous client that was heard of within the time that a CONNECT may take is no worse than a newcomer. */
  private makeRoom(door: Door | undefined, now: number): boolean {
    return this.guests.makeRoom(door, now, now - this.limits.connect_timeout * 1000);
  }

  private takeToken(share: Share, rate: number, part: number, now: number): boolean {
    return share.take(1, rate, Math.max(1, rate * this.limits.connect_burst * part), now);
  }

  /** Whoever connects often comes from where the one before came from. */
  private networkOf(address: string): string {
    const { subnet_prefix_ipv4: ipv4, subnet_prefix_ipv6: ipv6 } = this.limits;
    const { last } = this;
    if (last.address !== address || last.ipv4 !== ipv4 || last.ipv6 !== ipv6)
      this.last = { address, ipv4, ipv6, network: subnetOf(address, { ipv4, ipv6 }) };
    return this.last.network;
  }

  private gone(guest: Guest): void {
    this.guests.delete(guest);
    this.all.open--;
    guest.door.share.open--;
  }
}

function sourcesOf(door: Door): SourceShares {
  door.sources ??= new SourceShares();
  return door.sources;
}

/** The limits of a listener that has any of its own; the others are the general ones. */
function ownLimitsOf({ limits: { limits: own } }: Door, general: SourceLimits): SourceLimits | undefined {
  if (own === undefined) return undefined;
  const { max_connections_per_address: address, max_connections_per_subnet: subnet } = own;
  const { connect_rate_per_address: rate, connect_rate_per_subnet: wider } = own;
  if ((address ?? subnet ?? rate ?? wider) === undefined) return undefined;
  return {
    max_connections_per_address: address ?? general.max_connections_per_address,
    max_connections_per_subnet: subnet ?? general.max_connections_per_subnet,
    connect_rate_per_address: rate ?? general.connect_rate_per_address,
    connect_rate_per_subnet: wider ?? general.connect_rate_per_subnet,
  };
}
