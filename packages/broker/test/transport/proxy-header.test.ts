import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseProxyHeader } from '../../dist/transport/proxy-header.js';
import { proxyV2 } from '../support/proxy-header.js';

const any = ['v1', 'v2'] as const;
const v4 = { address: '192.0.2.7', port: 56_324 };
const v6 = { address: '2001:db8::7', port: 1 };

const good: readonly [title: string, header: Buffer, source: unknown][] = [
  ['a line of IPv4', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 56324 8883\r\n'), v4],
  ['a line of IPv6', Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 1 8883\r\n'), v6],
  ['a line that says nothing', Buffer.from('PROXY UNKNOWN\r\n'), 'local'],
  ['a line that is not to be believed', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), 'local'],
  ['a binary header of IPv4', proxyV2(v4), v4],
  ['a binary header of IPv6', proxyV2(v6), v6],
  ['LOCAL', proxyV2(v4, { command: 0x20 }), 'local'],
  ['an unspecified family', proxyV2(v4, { family: 0 }), 'local'],
  ['fields after the addresses', proxyV2(v4, { fields: '04 0002 0000 ea 0001 41' }), v4],
  ['a right checksum', proxyV2(v4, { checksum: true }), v4],
];

const bad: readonly [title: string, header: Buffer, reason: RegExp][] = [
  ['MQTT', Buffer.from('101000044d515454', 'hex'), /no PROXY header/],
  ['a ClientHello', Buffer.from('1603010200010001fc', 'hex'), /no PROXY header/],
  ['an address that is none', Buffer.from('PROXY TCP4 192.0.2.777 198.51.100.1 1 2\r\n'), /malformed/],
  ['another family than it says', Buffer.from('PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n'), /malformed/],
  ['a port that is none', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 70000 2\r\n'), /malformed/],
  ['a line without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`), /without an end/],
  ['an unknown command', proxyV2(v4, { command: 0x22 }), /unknown version or command/],
  ['an unknown version', proxyV2(v4, { command: 0x31 }), /unknown version or command/],
  ['UDP', proxyV2(v4, { family: 0x12 }), /another family/],
  ['fewer bytes than its addresses need', proxyV2(v4, { family: 0x21 }), /without its addresses/],
  ['65,535 bytes', proxyV2(v4, { length: 65_535 }), /65551 bytes/],
  ['a field that is longer than the header', proxyV2(v4, { fields: '04 00ff 00' }), /cut off/],
  ['half a field', proxyV2(v4, { fields: '04 00' }), /cut off/],
  ['a wrong checksum', proxyV2(v4, { fields: '03 0004 deadbeef' }), /checksum/],
  ['a checksum of three bytes', proxyV2(v4, { fields: '03 0003 dead be' }), /checksum/],
];

describe('A header of the PROXY protocol', () => {
  for (const [title, header, source] of good) {
    it(`may be ${title}`, () => {
      const followed = Buffer.concat([header, Buffer.from('10')]);
      assert.deepEqual(parseProxyHeader(followed, any), { source, length: header.length });
      for (let end = 0; end < header.length; end++)
        assert.equal(parseProxyHeader(header.subarray(0, end), any), 'incomplete');
    });
  }

  for (const [title, header, reason] of bad) {
    it(`may not be ${title}`, () => {
      const parsed = parseProxyHeader(header, any);
      assert.ok(typeof parsed === 'object' && 'invalid' in parsed);
      assert.match(parsed.invalid, reason);
    });
  }

  it('counts in the version that is wanted only', () => {
    for (const [version, header] of [
      ['v1', proxyV2(v4)],
      ['v2', Buffer.from('PROXY UNKNOWN\r\n')],
    ] as const)
      assert.deepEqual(parseProxyHeader(header, [version]), { invalid: 'no PROXY header' });
  });

  it('comes to one of its three ends whatever the bytes are', () => {
    const beginnings = fc.constantFrom(
      Buffer.alloc(0),
      Buffer.from('PROXY TCP4 '),
      proxyV2(v4).subarray(0, 16),
      proxyV2(v6),
    );
    fc.assert(
      fc.property(beginnings, fc.uint8Array({ maxLength: 300 }), (beginning, rest) => {
        const bytes = Buffer.concat([beginning, rest]);
        const parsed = parseProxyHeader(bytes, any);
        if (typeof parsed === 'object' && 'source' in parsed) assert.ok(parsed.length <= bytes.length);
      }),
    );
  });
});
