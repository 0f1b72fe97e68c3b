import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultConfiguration, loadConfiguration } from '@moat/broker';
import { temporaryDirectory } from '../helpers/directory.js';
import { moat } from '../helpers/moat.js';

const root = await temporaryDirectory();

async function emptyDirectory(name: string): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory);
  return directory;
}

async function snapshot(directory: string): Promise<Record<string, string>> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const entries = files
    .filter((file) => file.isFile())
    .map(async (file) => [file.name, await readFile(join(file.parentPath, file.name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(entries));
}

test('moat init makes everything that a broker needs, and tells the password once', async () => {
  const cwd = await emptyDirectory('fresh');
  const { code, stdout, stderr } = await moat(['init'], { cwd });
  assert.equal(code, 0, stderr);
  assert.equal((await stat(join(cwd, 'moat-data'))).mode & 0o777, 0o700);
  const [, password = ''] = /user admin {2}password (\S{24})\n/.exec(stdout) ?? [];
  const files = await snapshot(cwd);
  for (const name of ['ca.crt', 'ca.key', 'server.crt', 'server.key', 'passwords', 'policy.yaml', 'moat.yaml']) {
    assert.ok(name in files, name);
  }
  for (const text of Object.values(files)) assert.ok(!text.includes(password));
  for (const secret of ['pki/ca.key', 'pki/server.key', 'passwords']) {
    assert.equal((await stat(join(cwd, 'moat-data', secret))).mode & 0o777, 0o600, secret);
  }
});

test('moat init again changes nothing', async () => {
  const cwd = await emptyDirectory('again');
  await moat(['init'], { cwd });
  await writeFile(join(cwd, 'moat.yaml'), 'data_dir: ./moat-data\n');
  const before = await snapshot(cwd);
  const { code, stdout } = await moat(['init'], { cwd });
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /made|password \S{24}/);
  assert.deepEqual(await snapshot(cwd), before);
});

test('what moat init is told and does not do, because an authority is there, it says', async () => {
  const cwd = await emptyDirectory('there');
  await moat(['init'], { cwd });
  const before = await snapshot(cwd);
  for (const what of [['--issuing'], ['--host', 'broker.example']]) {
    const { code, stderr } = await moat(['init', ...what], { cwd });
    assert.equal(code, 0);
    assert.match(stderr, /^moat: there is an authority already; it and the server's certificate stay as they are\n$/);
  }
  const both = await moat(['init', '--issuing', '--ca-cert', 'moat.yaml', '--ca-key', 'moat.yaml'], { cwd });
  assert.equal(both.code, 2);
  assert.deepEqual(await snapshot(cwd), before);
});

test('the server certificate names the hosts given, this host and the loopback addresses', async () => {
  const cwd = await emptyDirectory('hosts');
  await moat(['init', '--host', 'broker.example', '--host', '192.0.2.7'], { cwd });
  const certificate = new X509Certificate(await readFile(join(cwd, 'moat-data/pki/server.crt')));
  for (const name of ['broker.example', hostname(), 'localhost']) assert.ok(certificate.checkHost(name), name);
  for (const address of ['192.0.2.7', '127.0.0.1', '::1']) assert.ok(certificate.checkIP(address), address);
});

test('the configuration that is written says what the defaults are', async () => {
  const cwd = await emptyDirectory('defaults');
  await moat(['init'], { cwd });
  const written = await loadConfiguration(join(cwd, 'moat.yaml'), {});
  assert.deepEqual(written, defaultConfiguration(join(cwd, 'moat-data')));
  assert.equal((await moat(['check', '-c', 'moat.yaml'], { cwd })).code, 0);
});

test('with --data-dir everything is in that directory', async () => {
  const cwd = await emptyDirectory('elsewhere');
  const { stdout } = await moat(['init', '--data-dir', 'data', '--json'], { cwd });
  assert.deepEqual(await readdir(cwd), ['data']);
  const { dataDir, configuration, admin } = JSON.parse(stdout);
  assert.equal(dataDir, join(cwd, 'data'));
  assert.equal(configuration, 'data/moat.yaml');
  assert.equal(admin.username, 'admin');
  assert.equal((await loadConfiguration(join(cwd, configuration))).data_dir, dataDir);
});

test('a host that is none is refused before anything is made', async () => {
  const cwd = await emptyDirectory('wrong-host');
  const { code, stderr } = await moat(['init', '--host', 'mqtt://broker'], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /mqtt:\/\/broker/);
});

test('a data directory that cannot be made exits with 1', async () => {
  const cwd = await emptyDirectory('file');
  await writeFile(join(cwd, 'data'), 'a file');
  const { code, stderr } = await moat(['init', '--data-dir', 'data/below'], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /^moat: cannot use the data directory: .*ENOTDIR/);
});
