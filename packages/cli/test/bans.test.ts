import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from '@moat/client';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const configuration = `sys_interval: 0
listeners: [{ protocol: mqtt, port: 0 }]
log: { format: json }
`;

const cwd = join(await temporaryDirectory(), 'bans');

describe('moat bans', () => {
  let broker: RunningBroker;
  let port: number;
  before(async () => {
    await mkdir(cwd);
    broker = await RunningBroker.start(cwd, configuration);
    port = await broker.port('mqtt');
  });
  after(() => broker.stop());

  async function run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await moat(['bans', ...args], { cwd });
    assert.equal(code, 0, stderr);
    return stdout;
  }

  test('add, list and remove', async () => {
    assert.match(
      await run('add', '--address', '192.0.2.0/24', '--for', '7d', '--reason', 'scans'),
      /^banned 192\.0\.2\.0\/24; 0/,
    );
    await run('add', '--user', 'pump-7');
    const table = await run('list');
    assert.match(table, /address +192\.0\.2\.0\/24 +\S.* +operator +scans/);
    assert.match(table, /username +pump-7 +until removed +operator +by the operator/);
    const json = JSON.parse(await run('list', '--json')) as { what: string }[];
    assert.deepEqual(
      json.map(({ what }) => what),
      ['192.0.2.0/24', 'pump-7'],
    );
    assert.match(await run('remove', '--user', 'pump-7'), /^lifted the ban of pump-7/);
    assert.doesNotMatch(await run(), /pump-7/);
  });

  test('say what is wrong', async () => {
    const cases = [
      [['add'], 2, /one of --address, --user and --client-id/],
      [['add', '--user', 'a', '--client-id', 'b'], 2, /one of --address/],
      [['add', '--user', 'a', '--for', 'ever'], 2, /such as 90s/],
      [['add', '--address', 'everywhere'], 1, /neither an IP address nor a range/],
      [['remove', '--address', '198.51.100.1'], 1, /there is none/],
    ] as const;
    for (const [args, exit, message] of cases) {
      const { code, stderr } = await moat(['bans', ...args], { cwd });
      assert.equal(code, exit, stderr);
      assert.match(stderr, message);
    }
  });

  test('list and lift what the broker has locked out', async () => {
    for (let guess = 0; guess < 5; guess++) {
      const login = connect({
        protocol: 'mqtt',
        host: '127.0.0.1',
        port,
        username: 'admin',
        password: 'guess',
        clientId: 'admin',
        reconnect: false,
      });
      await assert.rejects(login);
    }
    assert.match(await run('list'), /address and user +127\.0\.0\.1 admin +\S.* +the broker +too many failures/);
    await run('remove', '--address', '127.0.0.1');
    assert.doesNotMatch(await run('list'), /too many failures/);
  });
});
