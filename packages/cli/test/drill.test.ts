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

  test('attacks no other machine, and nothing that it does not know', async () => {
    for (const args of [['--target', '192.0.2.1:1883'], ['no-such-attack'], ['--target', '127.0.0.1:1', '--compare']]) {
      const { code, stdout } = await moat(['drill', ...args]);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
    }
  });
});
