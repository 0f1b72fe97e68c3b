import { type Share, Shares } from './shares.js';

/** What bounds the connections from one address, and from one network; the configuration's names and units. */
export interface SourceLimits {
  readonly max_connections_per_address: number;
  readonly max_connections_per_subnet: number;
  readonly connect_rate_per_address: number;
  readonly connect_rate_per_subnet: number;
}

/** Where a connection comes from. */
export interface Source {
  readonly address: Share;
  readonly subnet: Share;
}

/** Why a source gets no further connection. */
interface SourceRefusal {
  readonly bound: 'connections' | 'connect_rate';
  readonly of: 'address' | 'subnet';
}

/** What all sources have of the connections that are counted together: those of all listeners, or of one with limits of its own. */
export class SourceShares {
  private readonly addresses = new Shares();
  private readonly subnets = new Shares();

  of(address: string, network: string, now: number): Source {
    return { address: this.addresses.of(address, now), subnet: this.subnets.of(network, now) };
  }

  /** @param burst seconds of unused rate that are saved up */
  refusal({ address, subnet }: Source, limits: SourceLimits, burst: number, now: number): SourceRefusal | undefined {
    if (address.open >= limits.max_connections_per_address) return { bound: 'connections', of: 'address' };
    if (subnet.open >= limits.max_connections_per_subnet) return { bound: 'connections', of: 'subnet' };
    const rate = limits.connect_rate_per_address;
    if (!address.take(1, rate, rate * burst, now)) return { bound: 'connect_rate', of: 'address' };
    const wider = limits.connect_rate_per_subnet;
    return subnet.take(1, wider, wider * burst, now) ? undefined : { bound: 'connect_rate', of: 'subnet' };
  }

  enter({ address, subnet }: Source): void {
    this.addresses.enter(address);
    this.subnets.enter(subnet);
  }

  leave({ address, subnet }: Source): void {
    this.addresses.leave(address);
    this.subnets.leave(subnet);
  }
}
