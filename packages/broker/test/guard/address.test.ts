import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressList, addressesIn, parseRange, subnetOf } from '../../dist/guard/address.js';

describe('Addresses', () => {
  const bits = { ipv4: 24, ipv6: 64 };
  const networks: Readonly<Record<string, string>> = {
    '192.0.2.7': '192.0.2.0/24',
    '255.255.255.255': '255.255.255.0/24',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2:0:0:0:0/64',
    '2001:db8::1': '2001:db8:0:0:0:0:0:0/64',
    '::1': '0:0:0:0:0:0:0:0/64',
    'fe80::1%eth0': 'fe80:0:0:0:0:0:0:0/64',
  };
  for (const [address, network] of Object.entries(networks))
    it(`${address} lies in ${network}`, () => assert.equal(subnetOf(address, bits), network));

  it('are cut at any bit', () => {
    assert.equal(subnetOf('10.255.7.1', { ipv4: 12, ipv6: 64 }), '10.240.0.0/12');
    assert.equal(subnetOf('2001:dbf::1', { ipv4: 24, ipv6: 29 }), '2001:db8:0:0:0:0:0:0/29');
    assert.equal(subnetOf('192.0.2.7', { ipv4: 32, ipv6: 64 }), '192.0.2.7/32');
  });

  it('of a range are spread over it, and all in it', () => {
    for (const [text, count] of [
      ['10.0.0.0/8', 8],
      ['192.0.2.4/31', 2],
      ['192.0.2.1', 1],
      ['2001:db8::/29', 8],
      ['::1', 1],
    ] as const) {
      const range = parseRange(text);
      assert.ok(range);
      const addresses = addressesIn(range);
      assert.equal(addresses.length, count, text);
      const list = new AddressList([text]);
      assert.deepEqual(
        addresses.filter((address) => !list.has(address)),
        [],
      );
    }
  });

  it('are in a list by range', () => {
    const list = new AddressList(['10.0.0.0/8', '2001:db8::/32', '192.0.2.1']);
    assert.deepEqual(
      ['10.9.9.9', '11.0.0.1', '2001:db8:9::1', '2001:db9::1', '192.0.2.1', '192.0.2.2'].map((one) => list.has(one)),
      [true, false, true, false, true, false],
    );
    assert.equal(new AddressList([]).has('10.0.0.1'), false);
  });

  for (const text of ['', 'example.com', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', '10.0.0/8'])
    it(`are not written as ${JSON.stringify(text)}`, () => assert.equal(parseRange(text), undefined));
});
