import { isIPv6 } from 'node:net';
import { crc32c } from '../support/crc32c.js';

export interface ProxyFields {
  readonly command?: number;
  readonly family?: number;
  /** Hexadecimal: type, length, value, of each. */
  readonly fields?: string;
  /** Adds a right one. */
  readonly checksum?: boolean;
  /** In place of the true one. */
  readonly length?: number;
}

/** A header of version 2, well made or not. */
export function proxyV2(
  { address, port }: { readonly address: string; readonly port: number },
  { command = 0x21, family, fields = '', checksum = false, length }: ProxyFields = {},
): Buffer {
  const six = isIPv6(address);
  const addresses = Buffer.alloc(six ? 36 : 12);
  addressBytes(address).copy(addresses);
  addresses.writeUInt16BE(port, six ? 32 : 8);
  addresses.writeUInt16BE(8883, six ? 34 : 10);
  const more = Buffer.from((checksum ? '03 0004 00000000' : fields).replaceAll(' ', ''), 'hex');
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex');
  head.writeUInt8(command, 12);
  head.writeUInt8(family ?? (six ? 0x21 : 0x11), 13);
  head.writeUInt16BE(length ?? addresses.length + more.length, 14);
  const header = Buffer.concat([head, addresses, more]);
  if (checksum) header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

/** Knows `::` in the place where the tests have it. */
function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':'));
  const groups = [...head, ...new Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
