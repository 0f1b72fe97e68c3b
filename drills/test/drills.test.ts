import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { cleanUpAtExit, needs, waitFor } from '@moat/testkit';
import { drills, moat, mosquitto, type Result, runWithPeers, survived, targetAt } from '../dist/index.js';

cleanUpAtExit();

/** How long one drill may take on a machine that is busy with others, in milliseconds. */
const patience = 120_000;

/** Every drill with small intensity; what it is at full is for `npm run drill`. */
describe('Moat survives', needs('openssl'), () => {
  const results = new Map<string, Result>();
  const reached = new Set<string>();
  let now = '';
  let all: Promise<unknown>;
  // One run, so that certificates are made once; each test waits for its own.
  before(() => {
    all = runWithPeers(drills, [moat], 'small', {
      begun: ({ name }) => {
        now = name;
        reached.add(`${name} begins`);
      },
      attempted: () => reached.add(`${now} was tried`),
      ended: (result) => {
        results.set(result.drill, result);
        reached.add(`${result.drill} ends`);
      },
    });
  });
  const reaching = async (stage: string): Promise<void> => {
    await Promise.race([waitFor(() => reached.has(stage), { timeout: patience, what: stage }), all]);
  };
  it('being set up', () => reaching(`${drills[0]?.name} begins`));
  for (const { name, summary } of drills) {
    it(`${name}: ${summary}`, async (t) => {
      // Each stage by itself, so that a busy machine is not taken for one that hangs.
      for (const stage of ['begins', 'was tried', 'ends']) await t.test(stage, () => reaching(`${name} ${stage}`));
      const result = results.get(name);
      assert.ok(result !== undefined);
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

  it('is pointed at a host and a port', () => {
    for (const address of ['127.0.0.1', '127.0.0.1:0', '127.0.0.1:65536', ':1883'])
      assert.throws(() => targetAt(address, undefined), /is not HOST:PORT/);
    assert.equal(targetAt('127.0.0.2:1883', undefined).address.port, 1883);
    assert.equal(targetAt('[::1]:1883', undefined).address.host, '::1');
    assert.equal(targetAt('localhost:1883', undefined).address.host, '127.0.0.1');
  });
});
