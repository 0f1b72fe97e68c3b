import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const cwd = await temporaryDirectory();
const configuration = `sys_interval: 0
listeners: [{ protocol: mqtt, port: 0 }]
authentication: { allow_anonymous: true }
authorization: { default: allow }
`;

describe('moat drill', () => {
  let broker: RunningBroker;
  before(async () => {
    broker = await RunningBroker.start(cwd, configuration);
  });
  after(() => broker.stop());

  test('names the attacks, with their bounds', async () => {
    const { code, stdout } = await moat(['drill', '--list', '--json']);
    assert.equal(code, 0);
    const listed = JSON.parse(stdout) as { name: string; intensity: { full: { count: number; seconds: number } } }[];
    assert.ok(listed.some(({ name }) => name === 'brute-force'));
    assert.ok(listed.every(({ intensity: { full } }) => full.count > 0 && full.seconds <= 180));
  });

  test('attacks a broker that runs already, as far as it can', async () => {
    const target = `127.0.0.1:${await broker.port('mqtt')}`;
    const args = ['drill', 'brute-force', 'certificates', '--target', target, '--intensity', 'small', '--json'];
    const { code, stdout, stderr } = await moat(args);
    const results = JSON.parse(stdout) as { drill: string; attempts: unknown[]; skipped?: string }[];
    assert.equal(code, 0, stderr);
    assert.equal(results[0]?.attempts.length, 2);
    assert.match(results[1]?.skipped ?? '', /sets up itself/);
  });

  test('attacks nothing that it does not know', async () => {
    for (const args of [['no-such-attack'], ['--target', '127.0.0.1'], ['--target', '127.0.0.1:1', '--compare']]) {
      const { code, stdout } = await moat(['drill', ...args]);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
    }
  });

  test('attacks another machine only if told that it may', async () => {
    for (const host of ['192.0.2.1', '[2001:db8::1]', 'example.com', '127.1']) {
      const { code, stderr } = await moat(['drill', '--target', `${host}:1883`]);
      assert.equal(code, 2, host);
      assert.match(stderr, /is not this machine; --i-own-this-broker if you may attack it/);
    }
    // No loopback address, and yet, of all that can be connected to, this machine.
    const target = `0.0.0.0:${await broker.port('mqtt')}`;
    const args = ['drill', 'reconnect-storm', '--target', target, '--intensity', 'small', '--json'];
    assert.equal((await moat(args)).code, 2);
    const { code, stdout } = await moat([...args, '--i-own-this-broker']);
    assert.equal(code, 0);
    assert.ok((JSON.parse(stdout) as { attempts: unknown[] }[])[0]?.attempts.length);
  });
});
