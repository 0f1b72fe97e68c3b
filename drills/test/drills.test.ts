import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cleanUpAtExit, needs } from '@moat/testkit';
import { drills, moat, mosquitto, type Result, runWithPeers, survived, targetAt } from '../dist/index.js';

cleanUpAtExit();

/** Every drill with small intensity; what it is at full is for `npm run drill`. */
describe('Moat survives', needs('openssl'), () => {
  for (const drill of drills) {
    it(`${drill.name}: ${drill.summary}`, async () => {
      const [result] = (await runWithPeers([drill], [moat], 'small')) as [Result];
      assert.deepEqual(result.faults, []);
      assert.ok(survived(result));
      assert.ok(result.attempts.length > 0, 'something was tried');
    });
  }
});

describe('A drill', () => {
  it('finds what gets through elsewhere', needs('openssl', 'mosquitto'), async (t) => {
    const bypass = drills.filter(({ name }) => name === 'policy-bypass');
    const [result] = (await runWithPeers(bypass, [mosquitto], 'small')) as [Result];
    t.diagnostic(result.faults.join('; '));
    assert.ok(result.faults.some((fault) => fault.startsWith('take over the session of another')));
    assert.equal(result.attempts[0]?.survived, true, 'what is allowed gets through there, too');
  });

  it('is never pointed at another machine', () => {
    for (const address of ['192.0.2.1:1883', '[2001:db8::1]:1883', 'example.com:1883', '0.0.0.0:1883', '127.1:1883'])
      assert.throws(() => targetAt(address, undefined), /is not a loopback address/);
    for (const address of ['127.0.0.1', '127.0.0.1:0', '127.0.0.1:65536', ':1883'])
      assert.throws(() => targetAt(address, undefined), /is not HOST:PORT/);
    assert.equal(targetAt('127.0.0.2:1883', undefined).address.port, 1883);
    assert.equal(targetAt('[::1]:1883', undefined).address.host, '::1');
    assert.equal(targetAt('localhost:1883', undefined).address.host, '127.0.0.1');
  });
});
