import { BlockList, isIP } from 'node:net';

/** A range of addresses as it is written: `192.0.2.0/24`, `2001:db8::/32`, or one address. */
export interface AddressRange {
  readonly network: string;
  readonly prefix: number;
}

/** What a text says; undefined where it is no address and no range. */
export function parseRange(text: string): AddressRange | undefined {
  const [network = '', prefix, ...more] = text.split('/');
  const version = isIP(network);
  const most = version === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : Number(/^\d{1,3}$/.exec(prefix)?.[0] ?? Number.NaN);
  return version === 0 || more.length > 0 || !(bits <= most) ? undefined : { network, prefix: bits };
}

/** Tells which addresses lie in any of these ranges. */
export class AddressList {
  private readonly list = new BlockList();
  private readonly empty: boolean;

  /** @param ranges as {@link parseRange} reads them */
  constructor(ranges: readonly string[]) {
    for (const text of ranges) {
      const range = parseRange(text);
      if (range !== undefined) this.list.addSubnet(range.network, range.prefix, familyOf(range.network));
    }
    this.empty = ranges.length === 0;
  }

  has(address: string): boolean {
    return !this.empty && this.list.check(address, familyOf(address));
  }
}

/** The network that an address lies in, by the first bits of it: the same text for every address of that network. */
export function subnetOf(address: string, bits: { readonly ipv4: number; readonly ipv6: number }): string {
  const six = isVersion6(address);
  const parts = six ? groupsOf(address) : address.split('.').map(Number);
  const width = six ? 16 : 8;
  const prefix = six ? bits.ipv6 : bits.ipv4;
  const kept = parts.map((part, index) => {
    const own = Math.min(width, Math.max(0, prefix - index * width));
    return part & (((1 << own) - 1) << (width - own));
  });
  return `${kept.map((part) => part.toString(six ? 16 : 10)).join(six ? ':' : '.')}/${prefix}`;
}

/** Addresses of a range, spread over it: so many that a few smaller ranges in it hardly hold all of them. */
export function addressesIn({ network, prefix }: AddressRange): string[] {
  const six = isVersion6(network);
  const width = six ? 16 : 8;
  const parts = six ? groupsOf(network) : network.split('.').map(Number);
  const filled = [0xa5a5, 0x5a5a, 0x3c3c, 0xc3c3, 0x9696, 0x6969, 0xffff, 0].map((fill) =>
    parts.map((part, index) => {
      const free = (1 << Math.min(width, Math.max(0, (index + 1) * width - prefix))) - 1;
      return ((part & ~free) | (fill & free)).toString(six ? 16 : 10);
    }),
  );
  return [...new Set(filled.map((each) => each.join(six ? ':' : '.')))];
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...new Array<string>(missing).fill('0'), ...after].map((group) => Number.parseInt(group, 16));
}

/** Of what is an address for sure: asking whether it is one takes a microsecond. */
export function isVersion6(address: string): boolean {
  return address.includes(':');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isVersion6(address) ? 'ipv6' : 'ipv4';
}
