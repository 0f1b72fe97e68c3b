import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const cwd = await temporaryDirectory();
await moat(['init'], { cwd });

test('moat device add writes what a device needs into a folder of its own, and says how to use it', async () => {
  const { code, stdout, stderr } = await moat(['device', 'add', 'pump-7'], { cwd });
  assert.equal(code, 0, stderr);
  const directory = join(cwd, 'pump-7');
  assert.deepEqual((await readdir(directory)).sort(), ['ca.crt', 'client.crt', 'client.key', 'connection.json']);
  assert.equal((await stat(join(directory, 'client.key'))).mode & 0o777, 0o600);
  const ca = new X509Certificate(await readFile(join(directory, 'ca.crt')));
  const certificate = new X509Certificate(await readFile(join(directory, 'client.crt')));
  assert.ok(certificate.verify(ca.publicKey));
  assert.equal(certificate.subject, 'CN=pump-7');
  const connection = JSON.parse(await readFile(join(directory, 'connection.json'), 'utf8'));
  assert.deepEqual(connection, {
    ...{ host: hostname(), port: 8883, protocol: 'mqtts', clientId: 'pump-7', username: 'pump-7' },
    ...{ ca: 'ca.crt', cert: 'client.crt', key: 'client.key' },
  });
  assert.match(stdout, /moat pub --connection pump-7\/connection\.json -t devices\/pump-7\/hello/);
  assert.match(stdout, /mosquitto_pub -h \S+ -p 8883 --cafile pump-7\/ca\.crt/);
});

test('days, folder, host and port may be chosen', async () => {
  const args = [
    'device',
    'add',
    'valve',
    '--days',
    '2',
    '--out',
    'usb/valve',
    '--host',
    'broker.example',
    '--port',
    '1234',
  ];
  assert.equal((await moat(args, { cwd })).code, 0);
  const certificate = new X509Certificate(await readFile(join(cwd, 'usb/valve/client.crt')));
  const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
  assert.ok(days > 1.9 && days <= 2.1, `${days} days`);
  const { host, port } = JSON.parse(await readFile(join(cwd, 'usb/valve/connection.json'), 'utf8'));
  assert.deepEqual({ host, port }, { host: 'broker.example', port: 1234 });
});

test('a folder that holds a device already is not touched, and no certificate is lost to it', async () => {
  await moat(['device', 'add', 'first', '--out', 'shared'], { cwd });
  const { code, stderr } = await moat(['device', 'add', 'second', '--out', 'shared'], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /shared/);
  const names = JSON.parse((await moat(['device', 'list', '--json'], { cwd })).stdout).map(
    (one: { name: string }) => one.name,
  );
  assert.ok(names.includes('first') && !names.includes('second'));
});

test('a name that is taken or impossible is refused', async () => {
  await moat(['device', 'add', 'taken'], { cwd });
  assert.equal((await moat(['device', 'add', 'taken', '--out', 'other'], { cwd })).code, 1);
  for (const name of ['a:b', 'a/b', '..', ''])
    assert.equal((await moat(['device', 'add', name], { cwd })).code, 2, name);
});

test('moat device list shows names, state and dates; the server is no device', async () => {
  const { stdout } = await moat(['device', 'list'], { cwd });
  assert.match(stdout, /^NAME +STATE +UNTIL +SERIAL NUMBER\n/);
  assert.match(stdout, /^pump-7 +valid +\d{4}-\d\d-\d\d +[0-9a-f]+$/m);
  assert.doesNotMatch(stdout, /localhost/);
});

test('without an authority there are no devices', async () => {
  const { code, stderr } = await moat(['device', 'add', 'x', '--data-dir', 'none'], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /none\/pki/);
});
