import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitTable } from '../../dist/config/profiles.js';
import { effectiveLimits } from '../../dist/index.js';

const text = `limits:
  profile: strict
  max_sessions: 7
listeners:
  - protocol: mqtt
    limits: { max_keepalive: 42 }
`;

describe('The limits in force', () => {
  const limits = effectiveLimits(text, 'moat.yaml');
  const of = (key: string) => limits.find((limit) => limit.key === key);

  it('are all there, each with where it comes from', () => {
    assert.equal(limits.length, Object.keys(limitTable).length + 1);
    assert.deepEqual(of('limits.max_sessions'), {
      key: 'limits.max_sessions',
      value: 7,
      unit: 'sessions',
      from: 'moat.yaml:3:17',
    });
    assert.equal(of('limits.max_keepalive')?.from, 'profile strict (moat.yaml:2:12)');
    assert.deepEqual(
      [of('listeners[0].limits.max_keepalive')].map((limit) => [limit?.value, limit?.from]),
      [[42, 'moat.yaml:6:30']],
    );
  });

  it('are those of standard where nothing is written, and none where there is none', () => {
    const [first] = effectiveLimits('', 'moat.yaml');
    assert.equal(first?.from, 'profile standard (the default)');
    const off = effectiveLimits('limits: { profile: off }', 'moat.yaml');
    assert.equal(off.find(({ key }) => key === 'limits.max_sessions')?.value, undefined);
  });
});
