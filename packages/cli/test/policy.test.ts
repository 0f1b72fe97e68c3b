// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat, startMoat } from './helpers/moat.js';

const cwd = await temporaryDirectory();
const policy = `groups: { staff: [alice] }
roles:
  device:
    - { allow: connect, clientids: ["\${username}", "\${username}:*"] }
    - { allow: [publish, subscribe, receive], topics: "devices/\${username}/#" }
rules:
  - { subject: { username: "pump-*" }, roles: device }
  - { subject: { group: staff }, allow: [subscribe, receive], topics: "#" }
  - { deny: [publish, receive], topics: "devices/+/key" }
`;
await writeFile(join(cwd, 'p.yaml'), policy);
await writeFile(join(cwd, 'wrong.yaml'), 'rules:\n  - { alow: publish, topics: a }\n');
await writeFile(join(cwd, 'acl'), 'user bob\ntopic read a/#\n');

const run = (...args: string[]) => moat(['policy', ...args], { cwd });

describe('moat policy', () => {
  test('check finds mistakes with their places, and what is hardly meant', async () => {
    const wrong = await run('check', 'wrong.yaml');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^wrong\.yaml:2:7: unknown key alow in rules\[0\] \(did you mean allow\?\)/m);
    assert.deepEqual(await run('check', 'p.yaml'), {
      code: 0,
      stdout: '4 rules, nothing to complain about\n',
      stderr: '',
    });
    const reaching = `${policy}  - { subject: { username: "pump-*" }, allow: publish, topics: "devices/+/cmd" }\n`;
    await writeFile(join(cwd, 'reaching.yaml'), reaching);
    assert.match((await run('check', 'reaching.yaml')).stdout, /^reaching\.yaml:10:5: devices\/\+\/cmd reaches into/);
    const strict = await run('check', '--strict', '--json', 'reaching.yaml');
    assert.equal(strict.code, 1);
    assert.equal(JSON.parse(strict.stdout)[0].place.line, 10);
  });

  test('explain says allowed or denied in words and by its exit code, for every way to describe a client', async () => {
    const allowed = await run(
      'explain',
      '--policy',
      'p.yaml',
      '-u',
      'pump-7',
      '-a',
      'publish',
      '-t',
      'devices/pump-7/x',
    );
    assert.equal(allowed.code, 0);
    assert.match(
      allowed.stdout,
      /^allowed: publish devices\/pump-7\/x, by p\.yaml:5 \(role device, given at p\.yaml:7\): allow/,
    );
    const denied = await run('explain', '--policy', 'p.yaml', '-u', 'pump-7', '-a', 'receive', '-t', 'alarms');
    assert.deepEqual([denied.code, denied.stderr], [1, '']);
    assert.match(denied.stdout, /What would have been needed:\n {2}p\.yaml:8: group staff/);
    const told = await run(
      'explain',
      '--policy',
      'p.yaml',
      '--group',
      'staff',
      '-i',
      'c',
      '-a',
      'subscribe',
      '-t',
      '#',
      '--json',
    );
    assert.equal(told.code, 0);
    assert.deepEqual(JSON.parse(told.stdout).notes, ['not delivered: devices/+/key (p.yaml:9)']);
    await writeFile(
      join(cwd, 'facts.yaml'),
      `rules: [{ subject: { cert: { san_uri: "urn:*" }, claims: { tenant: [acme] }, scope: write, address: 10.0.0.0/8,
  listener: "wss:*", method: token, clientid: c }, allow: publish, topics: "\${claims.tenant}/\${cert.cn}",
  when: { tls: true, qos: 1, retain: true, max_payload: 9, sealed: mac, hours: "08:00-17:00" } }]`,
    );
    const everything = [
      '--cert',
      'san_uri=urn:x',
      '--cert',
      'cn=n',
      '--claim',
      'tenant=acme',
      '--scope',
      'write',
      '--address',
      '10.1.1.1',
    ];
    const packet = [
      '-q',
      '1',
      '-r',
      '--payload',
      '9',
      '--sealed',
      'mac',
      '--at',
      '09:00',
      '--listener',
      'wss:8884',
      '-i',
      'c',
    ];
    const ask = ['explain', '--policy', 'facts.yaml', '-a', 'publish', '-t', 'acme/n', ...everything, ...packet];
    assert.equal((await run(...ask)).code, 0);
    assert.equal((await run(...ask, '--no-tls')).code, 1);
    assert.equal((await run(...ask, '--method', 'password')).code, 1);
    assert.equal((await run('explain', '--policy', 'p.yaml', '-a', 'publish')).code, 2);
    assert.equal((await run('explain', '--policy', 'p.yaml', '-a', 'fly', '-t', 'x')).code, 2);
    assert.equal((await run('explain', '--policy', 'acl', '-u', 'bob', '-a', 'receive', '-t', 'a/b')).code, 0);
  });

  test('who lists everybody who may', async () => {
    const { stdout } = await run('who', '--policy', 'p.yaml', '-t', 'devices/pump-7/x');
    assert.deepEqual(
      stdout
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(/ {2,}/).slice(0, 2)),
      [
        ['publish', 'user name pump-* and user name pump-7'],
        ['receive', 'user name pump-* and user name pump-7'],
        ['receive', 'group staff'],
      ],
    );
    assert.equal((await run('who', '--policy', 'p.yaml', '-t', 'x', '-a', 'publish')).stdout, 'nobody\n');
  });

  test('test tells what is not as expected, and fails', async () => {
    const expectations = `policy: p.yaml
tests:
  - subject: { username: pump-7 }
    allow: [{ publish: devices/pump-7/x }, { connect: "pump-7:a" }]
    deny: [{ publish: devices/pump-8/x }, { subscribe: "#" }]
`;
    await writeFile(join(cwd, 'expect.yaml'), expectations);
    assert.deepEqual(await run('test', 'expect.yaml'), { code: 0, stdout: '4 as expected, 0 otherwise\n', stderr: '' });
    await writeFile(
      join(cwd, 'expect.yaml'),
      `${expectations}  - { name: key, subject: { groups: staff }, deny: [{ receive: a }] }\n`,
    );
    const { code, stdout } = await run('test', 'expect.yaml');
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^expect\.yaml:6:\d+: key: receive a is allowed, and should be denied\n4 as expected, 1 otherwise\n$/,
    );
    await writeFile(join(cwd, 'broken.yaml'), 'policy: p.yaml\ntests:\n  - { allow: [{ publis: a }] }\n');
    const broken = await run('test', 'broken.yaml');
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /^broken\.yaml:3:\d+: unknown key publis/m);
  });

  test('diff says who gains and who loses', async () => {
    await writeFile(
      join(cwd, 'next.yaml'),
      policy.replace('[alice]', '[alice, bob]').replace('devices/+/key', 'devices/+/keys'),
    );
    const { code, stdout } = await run('diff', '--json', 'p.yaml', 'next.yaml');
    assert.equal(code, 0);
    const { changes, complete } = JSON.parse(stdout);
    assert.equal(complete, true);
    const words = changes.map(({ who, kind, action, targets }: Record<string, unknown>) =>
      [who, kind, action, targets].join(' '),
    );
    assert.ok(words.includes('user name bob gains subscribe #'), words.join('\n'));
    assert.ok(words.includes('group staff gains receive devices/+/key'), words.join('\n'));
    assert.ok(words.includes('group staff loses receive devices/+/keys'), words.join('\n'));
    const table = await run('diff', 'p.yaml', 'next.yaml');
    assert.match(table.stdout, /^WHO +ACTION +WHAT\n/);
    assert.match(table.stdout, /^user name bob +gains +subscribe +#$/m);
    assert.equal((await run('diff', 'p.yaml', 'p.yaml')).stdout, 'nobody gains or loses anything\n');
  });
});

describe('moat policy shadow', async () => {
  const place = await temporaryDirectory();
  const broker = await RunningBroker.start(place);
  after(() => broker.stop());
  const port = String((await broker.logged('ready')).listeners?.find(({ protocol }) => protocol === 'mqtt')?.port);
  const password = (await readFile(join(place, 'moat-data', 'admin-password'), 'utf8')).trim();
  const pub = (topic: string) =>
    moat(['pub', '--url', `mqtt://127.0.0.1:${port}`, '-u', 'admin', '-t', topic, '-m', 'x'], {
      cwd: place,
      env: { MOAT_PASSWORD: password },
    });
  const second = join(place, 'second.yaml');
  await writeFile(second, 'rules:\n  - { allow: [connect, publish], clientids: "*", topics: same }\n');

  test('tells what a second policy would decide otherwise, changes nothing, and leaves nothing', async () => {
    const shadow = startMoat(['policy', 'shadow', second, '--data-dir', 'moat-data'], { cwd: place });
    const line = once(createInterface(shadow.stdout), 'line');
    await once(createInterface(shadow.stderr), 'line');
    const other = await moat(['policy', 'shadow', second, '--data-dir', 'moat-data'], { cwd: place });
    assert.deepEqual([other.code, other.stderr.includes('another policy is judging already')], [1, true]);
    assert.equal((await pub('same')).code, 0);
    assert.equal((await pub('other')).code, 0);
    assert.match(String(await line), /^denies: publish other by admin \(.*\): default, in force \S*policy\.yaml:17$/);
    shadow.kill('SIGINT');
    await once(shadow, 'close');
    const summed = startMoat(['policy', 'shadow', second, '--summary', '--data-dir', 'moat-data'], { cwd: place });
    const table = text(summed.stdout);
    await once(createInterface(summed.stderr), 'line');
    for (let each = 0; each < 2; each++) assert.equal((await pub('other')).code, 0);
    summed.kill('SIGINT');
    assert.match(
      await table,
      /^WOULD +ACTION +IN FORCE +INSTEAD +COUNT +FOR EXAMPLE\ndenies +publish +\S*policy\.yaml:17 +default +2 +other\n/,
    );
    const next = await moat(['policy', 'shadow', second, '--for', '1', '--summary', '--data-dir', 'moat-data'], {
      cwd: place,
    });
    assert.equal(next.code, 0);
    assert.match(next.stderr, /decisions judged, 0 would be otherwise/);
  });

  test('refuses a policy with mistakes before the broker hears of it', async () => {
    await writeFile(second, 'rules: 3\n');
    const { code, stderr } = await moat(['policy', 'shadow', second, '--data-dir', 'moat-data'], { cwd: place });
    assert.equal(code, 2);
    assert.match(stderr, /second\.yaml:1:8: rules must be a list/);
  });

  test('fails when the broker goes', async () => {
    const shadow = startMoat(['policy', 'shadow', join(cwd, 'p.yaml'), '--data-dir', 'moat-data'], { cwd: place });
    const said = createInterface(shadow.stderr)[Symbol.asyncIterator]();
    const exited = once(shadow, 'exit');
    await said.next();
    await broker.stop();
    assert.deepEqual([(await exited)[0], (await said.next()).value], [3, 'moat: the broker has gone']);
  });
});
