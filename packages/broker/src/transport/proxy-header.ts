import { isIP, SocketAddress } from 'node:net';

/** Who a proxy says is at the other end; `local` is the proxy itself, such as its health check. */
export type ProxiedSource = { readonly address: string; readonly port: number } | 'local';

export type ProxyVersion = 'v1' | 'v2';

/** What the beginning of a stream is: not yet a whole header, none that counts, or one of so many bytes. */
export type ProxyHeader =
  | 'incomplete'
  | { readonly invalid: string }
  | { readonly source: ProxiedSource; readonly length: number };

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** The longest line of version 1, CRLF included (PROXY protocol §2.1). */
const longestLine = 107;
/** The largest header of version 2 that is taken, TLVs included: proxies send some hundreds of bytes. */
const largestHeader = 4_096;
const checksumType = 0x03;

/**
 * Reads the header of the PROXY protocol, of HAProxy's specification, at the beginning of a stream.
 * @param versions those that are accepted
 */
export function parseProxyHeader(bytes: Buffer, versions: readonly ProxyVersion[]): ProxyHeader {
  const seen = Math.min(bytes.length, signature.length);
  if (versions.includes('v2') && bytes.subarray(0, seen).equals(signature.subarray(0, seen)))
    return seen < signature.length ? 'incomplete' : parseBinary(bytes);
  const word = Math.min(bytes.length, 6);
  if (versions.includes('v1') && bytes.toString('latin1', 0, word) === 'PROXY '.slice(0, word)) return parseLine(bytes);
  return { invalid: 'no PROXY header' };
}

/** §2.1: `PROXY TCP4 192.0.2.7 198.51.100.1 56324 8883\r\n`. */
function parseLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n');
  if (end < 0) return bytes.length < longestLine ? 'incomplete' : { invalid: 'a PROXY line without an end' };
  const line = bytes.toString('latin1', 0, end);
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { source: 'local', length: end + 2 };
  const [, family, address = '', port] = /^PROXY TCP([46]) (\S+) \S+ (\d{1,5}) \d{1,5}$/.exec(line) ?? [];
  if (isIP(address) !== Number(family) || Number(port) > 65_535) return { invalid: 'a malformed PROXY line' };
  return { source: { address, port: Number(port) }, length: end + 2 };
}

/** §2.2: signature, version and command, family, length, addresses, TLVs. */
function parseBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < 16) return 'incomplete';
  const [kind, family] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  const length = 16 + bytes.readUInt16BE(14);
  if (kind !== 0x20 && kind !== 0x21) return { invalid: 'a PROXY header of an unknown version or command' };
  if (length > largestHeader) return { invalid: `a PROXY header of ${length} bytes` };
  if (bytes.length < length) return 'incomplete';
  const header = bytes.subarray(0, length);
  if (kind === 0x20 || family === 0x00) return { source: 'local', length }; // the rest is to be ignored
  const addresses = { 17: 12, 33: 36 }[family];
  if (addresses === undefined) return { invalid: 'a PROXY header of another family than TCP' };
  if (length < 16 + addresses) return { invalid: 'a PROXY header without its addresses' };
  const problem = problemOfFields(header, 16 + addresses);
  if (problem !== undefined) return { invalid: problem };
  return { source: sourceIn(header, addresses), length };
}

function sourceIn(header: Buffer, addresses: number): ProxiedSource {
  if (addresses === 12) return { address: header.subarray(16, 20).join('.'), port: header.readUInt16BE(24) };
  const groups = Array.from({ length: 8 }, (_, index) => header.readUInt16BE(16 + 2 * index).toString(16));
  return {
    address: new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address,
    port: header.readUInt16BE(48),
  };
}

/** The type-length-values that follow the addresses must fill the rest, and a checksum among them be right (§2.2.4). */
function problemOfFields(header: Buffer, from: number): string | undefined {
  let at = from;
  while (at + 3 <= header.length) {
    const next = at + 3 + header.readUInt16BE(at + 1);
    if (next > header.length) break;
    if (header[at] === checksumType && (next !== at + 7 || !hasChecksum(header, at + 3)))
      return 'a PROXY header with a wrong checksum';
    at = next;
  }
  return at === header.length ? undefined : 'a PROXY header whose fields are cut off';
}

function hasChecksum(header: Buffer, at: number): boolean {
  const blank = Buffer.from(header);
  blank.writeUInt32BE(0, at);
  return crc32c(blank) === header.readUInt32BE(at);
}

/** CRC-32C (RFC 4960, appendix B). */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
