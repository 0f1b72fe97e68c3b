import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority, issueServerCertificate, openAuthority, signRevocationList } from '@moat/pki';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const cwd = await temporaryDirectory();
await moat(['init'], { cwd });

/** Checks with one file replaced, and puts it back. */
async function checkWith(file: string, text: string): Promise<{ code: number | null; stderr: string }> {
  const path = join(cwd, file);
  const before = await readFile(path);
  await writeFile(path, text);
  try {
    return await moat(['check'], { cwd });
  } finally {
    await writeFile(path, before);
  }
}

test('what moat init makes has no mistakes', async () => {
  assert.deepEqual(await moat(['check'], { cwd }), { code: 0, stdout: 'moat.yaml: no mistakes found\n', stderr: '' });
});

test('without a file the defaults are checked, and a data directory where it is said to be', async () => {
  const nothing = await moat(['check', '--data-dir', 'none'], { cwd });
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /none\/pki\/ca\.crt/);
  assert.equal((await moat(['init', '--data-dir', 'other'], { cwd })).code, 0);
  const written = await moat(['check', '--data-dir', 'other'], { cwd });
  assert.equal(written.stdout, 'other/moat.yaml: no mistakes found\n');
  await rm(join(cwd, 'other/moat.yaml'));
  const defaults = await moat(['check', '--data-dir', 'other'], { cwd });
  assert.deepEqual(defaults, {
    code: 0,
    stdout: `${join(cwd, 'other')}, by the defaults: no mistakes found\n`,
    stderr: '',
  });
});

test('every mistake in the configuration is a line with its place', async () => {
  const { code, stderr } = await checkWith('moat.yaml', 'data_dir: ./moat-data\nlisteners: 3\nlimit: {}\n');
  assert.equal(code, 2);
  const lines = stderr.trim().split('\n');
  assert.equal(lines.length, 2, stderr);
  for (const line of lines) assert.match(line, /^\S*moat\.yaml:[23]:\d+: /);
});

test('mistakes in the policy and the password file have their places, too', async () => {
  const policy = await checkWith('moat-data/policy.yaml', 'rules:\n  - allow: fly\n');
  assert.equal(policy.code, 2);
  assert.match(policy.stderr, /policy\.yaml:2:\d+: /);
  const users = await checkWith('moat-data/passwords', 'admin\n');
  assert.equal(users.code, 2);
  assert.match(users.stderr, /passwords:1:\d+: /);
});

test('a key that does not belong to its certificate is found', async () => {
  const authority = await createAuthority({ now: new Date() });
  const { privateKey } = await issueServerCertificate(authority, { hosts: ['x'], days: 1, now: new Date() });
  const { code, stderr } = await checkWith(
    'moat-data/pki/server.key',
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  assert.equal(code, 2);
  assert.match(stderr, /server\.key/);
});

test('a certificate that has expired is found', async () => {
  const long = new Date(Date.now() - 10 * 86_400_000);
  const authority = await createAuthority({ now: long });
  const { certificate } = await issueServerCertificate(authority, { hosts: ['x'], days: 2, now: long });
  const { code, stderr } = await checkWith('moat-data/pki/server.crt', certificate);
  assert.equal(code, 2);
  assert.match(stderr, /server\.crt.*expired/);
});

test('a configuration that is not there is named', async () => {
  const { code, stderr } = await moat(['check', '-c', 'none.yaml'], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /none\.yaml/);
});

test('the schema of the configuration is JSON Schema with every section', async () => {
  const schema = JSON.parse((await moat(['config', 'schema'])).stdout);
  for (const section of ['listeners', 'authentication', 'authorization', 'limits'])
    assert.ok(section in schema.properties);
});

test('a revocation list that has run out is a mistake, unless it may', async () => {
  const { authority } = await openAuthority(join(cwd, 'moat-data', 'pki'));
  const [now, nextUpdate] = [new Date(Date.now() - 7_200_000), new Date(Date.now() - 3_600_000)];
  const list = signRevocationList(authority, [], { now, nextUpdate, number: 1 });
  await writeFile(join(cwd, 'moat-data', 'old.crl'), list);
  const text = 'data_dir: ./moat-data\nlisteners: [{ protocol: mqtts, crlfile: old.crl }]\n';
  const { code, stderr } = await checkWith('moat.yaml', text);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /the revocation list of CN=Moat CA \w+ ran out on 20.*: its certificates are refused \(put a newer/,
  );
  const allowed = await checkWith('moat.yaml', text.replace('old.crl', 'old.crl, crl_expired: warn'));
  assert.deepEqual(allowed, { code: 0, stdout: 'moat.yaml: no mistakes found\n', stderr: '' });
});
