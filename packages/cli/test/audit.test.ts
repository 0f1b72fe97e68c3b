import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from '@moat/client';
import { waitFor } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { finished, moat, startMoat } from './helpers/moat.js';

const configuration = `sys_interval: 0
listeners: [{ protocol: mqtt, port: 0 }]
`;
const password = 'correct horse battery staple';

const cwd = await temporaryDirectory();

describe('moat audit', () => {
  let broker: RunningBroker;
  before(async () => {
    await writeFile(join(cwd, 'moat.yaml'), configuration);
    for (const args of [['init'], ['passwd', 'moat-data/passwords', 'pump-1']]) {
      const { code, stderr } = await moat(args, { cwd, input: password });
      assert.equal(code, 0, stderr);
    }
    broker = await RunningBroker.start(cwd, configuration);
    await attempt('pump-1', password, ['secret/a', 'secret/a', 'secret/b']);
    await attempt('pump-1', 'a wrong guess', []);
    await attempt('nobody', password, []);
  });
  after(() => broker.stop());

  async function attempt(username: string, secret: string, topics: string[]): Promise<void> {
    const port = await broker.port('mqtt');
    try {
      const options = {
        protocol: 'mqtt',
        host: '127.0.0.1',
        port,
        username,
        password: secret,
        reconnect: false,
      } as const;
      const client = await connect({ ...options, clientId: `${username}:1` });
      for (const topic of topics) await client.publish(topic, 'x', { qos: 1 }).catch(() => {});
      await client.close();
    } catch {}
  }

  async function run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await moat(['audit', ...args], { cwd });
    assert.equal(code, 0, stderr);
    return stdout;
  }

  const json = async (...args: string[]) =>
    (await run('list', '--all', '--json', ...args))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('every success and failure is there, with its reason', async () => {
    await waitFor(async () => (await json('--code', 'client.disconnected')).length === 1);
    const told = (await json()).map(({ event, username, reason }) =>
      [event, username, reason].filter(Boolean).join(' '),
    );
    for (const expected of [
      /^broker\.started/,
      /^client\.connected pump-1 password$/,
      /^auth\.failed pump-1 bad_password$/,
      /^auth\.failed nobody bad_password$/,
    ])
      assert.ok(
        told.some((line) => expected.test(line)),
        `${expected} in ${told.join('\n')}`,
      );
    assert.equal((await json('--user', 'pump-*', '--code', 'auth.*')).length, 1);
    assert.equal((await json('--address', '10.*')).length, 0);
    assert.match(await run('-n', '1'), /^\d{4}-\d\d-\d\d .*nobody.*\n$/);
  });

  test('the last ones are shown, of so many or so long', async () => {
    assert.equal((await run('list', '-n', '2', '--json')).trim().split('\n').length, 2);
    assert.deepEqual(await json('--since', '1h'), await json());
    const { seq, time } = (await json()).at(-1) ?? {};
    assert.ok(typeof time === 'number');
    await waitFor(() => Date.now() - time > 20);
    const late = await json('--since', '0.01s');
    assert.ok(late.every(({ seq: each }) => each !== seq));
  });

  test('denials are grouped by rule and client', async () => {
    await waitFor(async () => (await json('--code', 'policy.denied')).length >= 2);
    await waitFor(async () => /secret\/a +2 /.test(await run('--denied')), { what: 'the repetition to be told' });
    const table = await run('--denied');
    assert.match(table, /^RULE +CLIENT ID +USER +ACTION +TOPIC +TIMES +LAST\n/);
    assert.match(table, /\n\S+ +pump-1:1 +pump-1 +publish +secret\/b +1 /);
    const groups = JSON.parse(await run('--denied', '--json')) as { topic: string; times: number }[];
    assert.deepEqual(
      groups.map(({ topic, times }) => `${topic} ${times}`),
      ['secret/a 2', 'secret/b 1'],
    );
  });

  test('what comes is shown as it comes', async () => {
    const following = startMoat(['audit', '--follow', '-n', '1', '--user', 'newcomer-*', '--json'], { cwd });
    const done = finished(following);
    let shown = '';
    following.stdout.on('data', (bytes: Buffer) => {
      shown += bytes.toString();
    });
    const seqs = () =>
      shown
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { seq: number }).seq);
    let guesses = 0;
    const guessUntilShown = (count: number) =>
      waitFor(
        async () => {
          await attempt(`newcomer-${++guesses}`, 'guess', []);
          return seqs().length >= count;
        },
        { timeout: 60_000 },
      );
    await guessUntilShown(1);
    await guessUntilShown(seqs().length + 1);
    following.kill('SIGINT');
    assert.equal((await done).code, 0);
    const all = (await json('--user', 'newcomer-*')).map(({ seq }) => seq);
    const from = all.indexOf(seqs()[0]);
    assert.deepEqual(seqs(), all.slice(from, from + seqs().length), 'none is left out, none is there twice');
  });

  test('no password is ever in it', async () => {
    const directory = join(cwd, 'moat-data', 'audit');
    for (const name of await readdir(directory)) {
      const text = await readFile(join(directory, name), 'utf8');
      for (const secret of [password, 'a wrong guess']) assert.ok(!text.includes(secret));
    }
  });

  test('a change is found, and so is the end that was cut off', async () => {
    await broker.stop();
    const { head } = JSON.parse(await run('verify', '--json')) as { head: string };
    assert.match(await run('verify', '--head', head), /Nothing is wrong with it\./);
    const directory = join(cwd, 'moat-data', 'audit');
    const file = join(directory, (await readdir(directory))[0] ?? '');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
    assert.equal((await moat(['audit', 'verify'], { cwd })).code, 0, 'without the hash it cannot show');
    const cut = await moat(['audit', 'verify', '--head', head], { cwd });
    assert.equal(cut.code, 1);
    assert.match(cut.stdout, /no line has the hash/);
    await writeFile(file, text.replace('auth.failed', 'auth.passed'));
    const changed = await moat(['audit', 'verify'], { cwd });
    assert.equal(changed.code, 1);
    assert.match(changed.stdout, /audit-00000001\.jsonl:\d+:1: the line before this one was changed/);
  });
});
