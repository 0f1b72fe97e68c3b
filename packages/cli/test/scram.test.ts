import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ConnectOptions, connect } from '@moat/client';
import { waitFor } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const cwd = await temporaryDirectory();
const password = 'correct horse, battery=staple';

describe('SCRAM, from the command line and the SDK to the broker', () => {
  let broker: RunningBroker;
  let port: number;
  before(async () => {
    await writeFile(join(cwd, 'moat.yaml'), 'listeners: [{ protocol: mqtt, port: 0 }]\n');
    for (const args of [['init'], ['passwd', 'moat-data/passwords', 'pump']])
      assert.equal((await moat(args, { cwd, input: password })).code, 0);
    broker = await RunningBroker.start(cwd, 'listeners: [{ protocol: mqtt, port: 0 }]\n');
    port = await broker.port('mqtt');
  });
  after(() => broker.stop());

  const args = (method: string) => ['--url', `mqtt://127.0.0.1:${port}`, '-u', 'pump', '--auth', method];

  for (const method of ['scram-sha-256', 'scram-sha-512'] as const) {
    const options = (): ConnectOptions => ({
      protocol: 'mqtt',
      host: '127.0.0.1',
      port,
      username: 'pump',
      password,
      auth: method,
      clientId: `pump:${method}`,
      reconnect: { minimum: 10, maximum: 50 },
    });

    test(`moat pub and moat sub by ${method}`, async () => {
      const published = await moat(['pub', ...args(method), '-t', 'devices/pump/x', '-m', 'hello', '--retain'], {
        cwd,
        env: { MOAT_PASSWORD: password },
      });
      assert.equal(published.code, 0, published.stderr);
      const received = await moat(['sub', ...args(method), '-t', 'devices/pump/x', '-C', '1'], {
        cwd,
        env: { MOAT_PASSWORD: password },
      });
      assert.deepEqual([received.code, received.stdout], [0, 'hello\n'], received.stderr);
    });

    test(`a wrong password by ${method} is refused`, async () => {
      const { code, stderr } = await moat(['pub', ...args(method), '-t', 'devices/pump/x', '-m', 'x'], {
        cwd,
        env: { MOAT_PASSWORD: 'guess' },
      });
      assert.equal(code, 3);
      assert.match(stderr, /refused the connection: not authorized/);
    });

    test(`by ${method} both sides prove themselves anew, on the connection and when it comes back`, async () => {
      const client = await connect(options());
      await client.reauthenticate();
      await client.reauthenticate();
      await client.publish('devices/pump/again', 'x', { qos: 1 });
      let back = 0;
      client.on('connected', () => back++);
      const ended = await moat(['clients', 'disconnect', `pump:${method}`], { cwd });
      assert.equal(ended.code, 0, ended.stderr);
      await waitFor(() => back > 0, { what: 'the client to come back' });
      await client.publish('devices/pump/again', 'x', { qos: 1 });
      await client.close();
      await assert.rejects(client.reauthenticate(), { code: 'closed' });
    });
  }

  test('a changed password ends a connection that proves itself anew by the old one', async () => {
    const client = await connect({
      protocol: 'mqtt',
      host: '127.0.0.1',
      port,
      username: 'pump',
      password,
      auth: 'scram-sha-256',
      reconnect: false,
    });
    const changed = await moat(['passwd', 'moat-data/passwords', 'pump'], { cwd, input: 'another' });
    assert.equal(changed.code, 0);
    await assert.rejects(async () => {
      for (;;) await client.reauthenticate();
    });
    await waitFor(() => !client.connected);
  });

  test('a connection.json may ask for it', async () => {
    const file = join(cwd, 'connection.json');
    const connection = {
      host: '127.0.0.1',
      port,
      protocol: 'mqtt',
      username: 'pump',
      password: 'another',
      auth: 'scram-sha-512',
    };
    await writeFile(file, JSON.stringify(connection));
    const published = await moat(['pub', '--connection', file, '-t', 'devices/pump/x', '-m', 'x'], { cwd });
    assert.equal(published.code, 0, published.stderr);
    await writeFile(file, JSON.stringify({ ...connection, auth: 'plain' }));
    const refused = await moat(['pub', '--connection', file, '-t', 'devices/pump/x', '-m', 'x'], { cwd });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /connection\.json:1:\d+: auth must be one of scram-sha-256, scram-sha-512/);
  });
});
