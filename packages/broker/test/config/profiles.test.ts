import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfiguration } from '../../dist/config/load.js';
import { type LimitName, limitsOf, limitTable } from '../../dist/config/profiles.js';

const names = Object.keys(limitTable) as LimitName[];

describe('the limits', () => {
  for (const name of names) {
    it(`on ${name} grow from strict to standard to off, within what may be written`, () => {
      const { least, strict, standard, off, most } = limitTable[name];
      assert.ok(least <= strict && strict <= standard && standard <= off && off <= most);
    });
  }

  it('are those of the profile, and any single one may be given besides', () => {
    const { limits } = parseConfiguration(
      'limits: { profile: strict, max_keepalive: 42, queue_full: drop_oldest }',
      'f',
    );
    assert.deepEqual(limits, {
      profile: 'strict',
      roles: {},
      ...limitsOf('strict'),
      max_keepalive: 42,
      queue_full: 'drop_oldest',
    });
  });

  it('are the standard ones unless said otherwise', () => {
    const { limits } = parseConfiguration('limits: { max_sessions: 7 }', 'f');
    assert.deepEqual(limits, { profile: 'standard', roles: {}, ...limitsOf('standard'), max_sessions: 7 });
  });

  it('can be taken off up to what the protocol can say', () => {
    const { limits } = parseConfiguration('limits: { profile: off }', 'f');
    assert.equal(limits.max_packet_size, 268_435_460);
    assert.equal(limits.receive_maximum, 65_535);
    assert.equal(limits.max_session_expiry, 0xffff_ffff);
  });
});
