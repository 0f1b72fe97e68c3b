import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Client, connect } from '@moat/client';
import { needs, waitFor } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { command, moat } from './helpers/moat.js';

const configuration = `sys_interval: 0
listeners: [{ protocol: mqtt, port: 0 }]
authentication: { allow_anonymous: true }
authorization: { default: allow }
`;

const cwd = join(await temporaryDirectory(), 'sessions');

describe('moat sessions and moat clients', () => {
  let port: number;
  let broker: RunningBroker;
  const open: Client[] = [];
  before(async () => {
    await mkdir(cwd);
    broker = await RunningBroker.start(cwd, configuration);
    port = await broker.port('mqtt');
    for (const name of ['pump-1', 'pump-2', 'valve-1']) {
      const client = await connected(name);
      await client.subscribe(`devices/${name}/#`, { qos: 1 });
      if (name !== 'valve-1') await client.close();
    }
    const publisher = await connected('publisher', 0);
    for (let each = 1; each <= 3; each++)
      await publisher.publish('devices/pump-1/x', `message ${each}`, {
        qos: 1,
        properties: { contentType: 'text/plain', correlationData: Buffer.from([0, 255]) },
      });
  });
  after(async () => {
    await Promise.allSettled(open.map((client) => client.close()));
    await broker.stop();
  });

  async function connected(clientId: string, sessionExpiryInterval = 3_600): Promise<Client> {
    const client = await connect({
      protocol: 'mqtt',
      host: '127.0.0.1',
      port,
      clientId,
      cleanStart: false,
      properties: { sessionExpiryInterval },
      reconnect: false,
    });
    open.push(client);
    return client;
  }

  async function run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await moat(args, { cwd });
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function clientIds(...filters: string[]): Promise<string[]> {
    const sessions = JSON.parse(await run('sessions', 'list', '--json', ...filters)) as { clientId: string }[];
    return sessions.map(({ clientId }) => clientId).sort();
  }

  test('sessions are listed, all or by filter', async () => {
    assert.match(
      await run('sessions', 'list', '--client-id', 'pump-?'),
      /^CLIENT ID +OWNER +STATE +SUBSCRIPTIONS +QUEUED +BYTES +IN FLIGHT +LIVES ON FOR\npump-1 +anonymous +gone for \d+ (?:s|min) +1 +3 +\d+ bytes +0 +\d+ min\npump-2 .*\n$/,
    );
    assert.deepEqual(await clientIds(), ['publisher', 'pump-1', 'pump-2', 'valve-1']);
    assert.equal(JSON.parse(await run('sessions', '--json')).length, 4);
    assert.deepEqual(await clientIds('--disconnected'), ['pump-1', 'pump-2']);
    assert.deepEqual(await clientIds('--connected'), ['publisher', 'valve-1']);
    assert.deepEqual(await clientIds('--min-queued', '1'), ['pump-1']);
    assert.deepEqual(await clientIds('--owner', 'nobody'), []);
    assert.deepEqual(await clientIds('--client-id', '*mp*'), ['pump-1', 'pump-2']);
    assert.deepEqual(await clientIds('--idle-longer', '1h'), []);
    const wrong = await moat(['sessions', 'list', '--idle-longer', 'soon'], { cwd });
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /such as 90s, 15m, 12h or 7d/);
  });

  test('a session is shown with its subscriptions', async () => {
    const shown = await run('sessions', 'show', 'pump-1');
    assert.match(shown, /\nqueued +3 messages, \d+ bytes\n/);
    assert.match(shown, /\n +devices\/pump-1\/# \(QoS 1\)\n$/);
    const { filters } = JSON.parse(await run('sessions', 'show', 'pump-1', '--json'));
    assert.deepEqual(filters, [{ filter: 'devices/pump-1/#', qos: 1, identifier: 0 }]);
    const missing = await moat(['sessions', 'show', 'pump-9'], { cwd });
    assert.deepEqual([missing.code, missing.stderr], [1, 'moat: there is no session pump-9\n']);
  });

  test('what waits is exported, and waits on', async () => {
    for (let twice = 0; twice < 2; twice++) {
      const lines = (await run('sessions', 'export', 'pump-1'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        lines.map(({ payload }) => Buffer.from(payload, 'base64').toString()),
        ['message 1', 'message 2', 'message 3'],
      );
      const [{ topic, qos, state, properties }] = lines;
      assert.deepEqual([topic, qos, state], ['devices/pump-1/x', 1, 'queued']);
      assert.deepEqual(properties, { contentType: 'text/plain', correlationData: 'AP8=' });
    }
  });

  test('clients are listed, shown and disconnected; their sessions stay', async () => {
    assert.match(
      await run('clients'),
      /^CLIENT ID +USER +BY +ADDRESS +LISTENER +MQTT +FOR\nvalve-1 +- +anonymous +127\.0\.0\.1 +mqtt:\d+ +5\.0 +\d+ (s|min)\n/,
    );
    assert.match(await run('clients', 'show', 'valve-1'), /\nkeep-alive +\d+ /);
    const shown = JSON.parse(await run('clients', 'show', 'valve-1', '--json'));
    assert.deepEqual([shown.method, shown.address, shown.version], ['anonymous', '127.0.0.1', '5.0']);
    assert.deepEqual(JSON.parse(await run('clients', 'list', '--json'))[0], shown);
    const unknown = await moat(['clients', 'show', 'valve-9'], { cwd });
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'moat: no client valve-9 is connected\n']);
    assert.equal(await run('clients', 'disconnect', 'valve-1'), 'disconnected valve-1\n');
    await waitFor(async () => (await clientIds('--connected')).length === 1);
    assert.deepEqual(await clientIds('--client-id', 'valve-1'), ['valve-1']);
    const missing = await moat(['clients', 'disconnect', 'valve-1'], { cwd });
    assert.deepEqual([missing.code, missing.stderr], [1, 'moat: no client valve-1 is connected\n']);
  });

  test('what a deleted session has for other members of a shared subscription goes to them', async () => {
    for (const name of ['sharer-1', 'sharer-2']) {
      const client = await connected(name);
      await client.subscribe('$share/g/jobs/#', { qos: 1 });
      await client.close();
    }
    const publisher = await connected('publisher-2', 0);
    for (let each = 1; each <= 5; each++) await publisher.publish('jobs/1', `job ${each}`, { qos: 1 });
    await publisher.close();
    assert.equal(await run('sessions', 'delete', 'sharer-1', '--yes'), 'deleted the session sharer-1\n');
    assert.match(await run('sessions', 'show', 'sharer-2'), /queued +5 messages/);
    assert.equal(await run('sessions', 'delete', '--client-id', 'sharer-*', '--yes'), 'deleted the session sharer-2\n');
  });

  test('on a terminal a deletion is asked about', needs('script'), async () => {
    await (await connected('asked')).close();
    for (const [answer, outcome] of [
      ['n', 'moat: nothing was deleted'],
      ['yes', 'deleted the session asked'],
    ] as const) {
      const typed = `${command} sessions delete asked`;
      const child = spawn('script', ['-qec', typed, '/dev/null'], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
      let shown = '';
      for await (const chunk of child.stdout) {
        const wasAsked = shown.includes('[y/N] ');
        shown += String(chunk);
        if (!wasAsked && shown.includes('[y/N] ')) child.stdin.write(`${answer}\r`);
      }
      assert.match(shown, /Delete the session asked, with all messages that wait\? \[y\/N\] /);
      assert.ok(shown.trimEnd().endsWith(outcome), shown);
    }
  });

  test('sessions are deleted, with their connections, and only when that is meant', async () => {
    const unsure = await moat(['sessions', 'delete', 'pump-2'], { cwd });
    assert.deepEqual([unsure.code, unsure.stderr], [1, 'moat: nothing was deleted\n']);
    const vague = await moat(['sessions', 'delete', '--yes'], { cwd });
    assert.equal(vague.code, 2);
    const both = await moat(['sessions', 'delete', 'pump-2', '--connected', '--yes'], { cwd });
    assert.equal(both.code, 2);
    assert.deepEqual(await clientIds('--client-id', 'pump-2'), ['pump-2']);
    const client = await connected('pump-3');
    const closed = once(client, 'closed');
    assert.equal(await run('sessions', 'delete', '--client-id', 'pump-*', '--yes'), 'deleted 3 sessions\n');
    await closed;
    assert.deepEqual(await clientIds('--client-id', 'pump-*'), []);
    assert.equal(await run('sessions', 'delete', '--client-id', 'pump-*', '--yes'), 'no session matches\n');
    await broker.stop();
    broker = await RunningBroker.start(cwd, configuration);
    assert.deepEqual(await clientIds('--client-id', 'pump-*'), []);
  });
});
