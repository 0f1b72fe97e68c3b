import { subnetOf } from './address.js';
import { type Anonymous, type Closable, Guest } from './guest.js';
import { Guests } from './guests.js';
import { Share, Shares } from './shares.js';

/** What bounds connections, in all and by where they come from; the configuration's names and units. */
export interface AdmissionLimits {
  readonly max_connections: number;
  readonly max_connections_per_address: number;
  readonly max_connections_per_subnet: number;
  readonly connect_rate: number;
  readonly connect_rate_per_address: number;
  readonly connect_rate_per_subnet: number;
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
}

/** Why somebody was not let in: which bound, of whom. */
export interface Refusal {
  readonly bound: 'connections' | 'connect_rate';
  readonly of: 'address' | 'subnet' | 'listener' | 'all';
}

/** Lets connections in. */
export interface Door {
  /** May be replaced while it is open. */
  limits: DoorLimits;
  readonly share: Share;
}

/**
 * Judges connections the moment they are accepted, before anything else is spent on them: by address, network, listener and
 * in all, how many there are and how fast new ones come. Where the slots of a listener, or all, are taken, whoever
 * has not finished its CONNECT makes room, the oldest first; then the idlest client that nothing proves, if it has been silent for a while; never one
 * that has proven who it is.
 */
export class Admission {
  private readonly all: Share;
  private readonly addresses = new Shares();
  private readonly subnets = new Shares();
  readonly guests = new Guests();
  private last = { address: '', ipv4: 0, ipv6: 0, network: '' };

  /**
   * @param limits read anew each time
   * @param exempt addresses that no share and no rate of one address or network holds for
   * @param descriptors connections that the system has file descriptors for, those kept for the broker's own files and
   *   the admin socket left out
   */
  constructor(
    private readonly limits: AdmissionLimits,
    private readonly exempt: (address: string) => boolean = () => false,
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
    return { limits, share: new Share(0) };
  }

  /** @param now milliseconds of a monotonic clock */
  admit(door: Door, address: string, socket: Closable, now: number): Guest | Refusal {
    const { limits } = this;
    const from = this.sourceOf(address, now);
    const refusal = from && this.refusalBySource(from, now);
    if (refusal !== undefined) return refusal;
    const burst = limits.connect_burst;
    const rate = door.limits.connect_rate ?? limits.connect_rate;
    if (!door.share.take(1, rate, rate * burst, now)) return { bound: 'connect_rate', of: 'listener' };
    if (!this.all.take(1, limits.connect_rate, limits.connect_rate * burst, now))
      return { bound: 'connect_rate', of: 'all' };
    if (door.share.open >= door.limits.max_connections && !this.makeRoom(door, now))
      return { bound: 'connections', of: 'listener' };
    if (this.all.open >= this.most && !this.makeRoom(undefined, now)) return { bound: 'connections', of: 'all' };
    this.all.open++;
    door.share.open++;
    if (from !== undefined) {
      this.addresses.enter(from.address);
      this.subnets.enter(from.subnet);
    }
    return this.guests.add(new Guest(door, address, socket, (guest) => this.gone(guest, from)));
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

  private sourceOf(address: string, now: number): Source | undefined {
    if (this.exempt(address)) return undefined;
    return { address: this.addresses.of(address, now), subnet: this.subnets.of(this.networkOf(address), now) };
  }

  /** Whoever connects often comes from where the one before came from. */
  private networkOf(address: string): string {
    const { subnet_prefix_ipv4: ipv4, subnet_prefix_ipv6: ipv6 } = this.limits;
    const { last } = this;
    if (last.address !== address || last.ipv4 !== ipv4 || last.ipv6 !== ipv6)
      this.last = { address, ipv4, ipv6, network: subnetOf(address, { ipv4, ipv6 }) };
    return this.last.network;
  }

  private refusalBySource({ address, subnet }: Source, now: number): Refusal | undefined {
    const { limits } = this;
    const burst = limits.connect_burst;
    if (address.open >= limits.max_connections_per_address) return { bound: 'connections', of: 'address' };
    if (subnet.open >= limits.max_connections_per_subnet) return { bound: 'connections', of: 'subnet' };
    const rate = limits.connect_rate_per_address;
    if (!address.take(1, rate, rate * burst, now)) return { bound: 'connect_rate', of: 'address' };
    const wider = limits.connect_rate_per_subnet;
    return subnet.take(1, wider, wider * burst, now) ? undefined : { bound: 'connect_rate', of: 'subnet' };
  }

  private gone(guest: Guest, from: Source | undefined): void {
    this.guests.delete(guest);
    this.all.open--;
    guest.door.share.open--;
    if (from === undefined) return;
    this.addresses.leave(from.address);
    this.subnets.leave(from.subnet);
  }
}

interface Source {
  readonly address: Share;
  readonly subnet: Share;
}
