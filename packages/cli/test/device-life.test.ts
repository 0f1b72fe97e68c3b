import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, loadConnection } from '@moat/client';
import { needs, run } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { type Result, moat as runMoat } from './helpers/moat.js';

const listeners = `listeners:
  - { protocol: mqtts, bind: 127.0.0.1, port: 0, use_identity_as_username: cn, crlfile: pki/ca.crl }
`;

const cwd = await temporaryDirectory();
const elsewhere = await temporaryDirectory();

describe('the life of a device certificate', () => {
  let broker: RunningBroker;
  let port: number;
  const moat = (...args: string[]): Promise<Result> => runMoat(['device', ...args], { cwd });
  const bundle = (name: string) => loadConnection(join(cwd, name, 'connection.json'));

  before(async () => {
    await runMoat(['init', '--host', 'localhost'], { cwd });
    broker = await RunningBroker.start(cwd, listeners);
    port = await broker.port('mqtts');
  });
  after(() => broker.stop());

  async function add(name: string, ...more: string[]): Promise<void> {
    const { code, stderr } = await moat('add', name, '--port', String(port), ...more);
    assert.equal(code, 0, stderr);
  }

  async function connected(name: string) {
    const client = await connect({ ...(await bundle(name)), reconnect: false });
    after(() => client.close());
    return client;
  }

  test('revoke ends the connection of a live device, keeps it out, and leaves the others alone', async () => {
    await add('pump-1');
    await add('pump-2');
    const [revoked, other] = [await connected('pump-1'), await connected('pump-2')];
    const closed = once(revoked, 'closed');
    const { code, stdout, stderr } = await moat('revoke', 'pump-1', '--reason', 'keyCompromise');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^revoked 1 certificate of pump-1\n/);
    await closed;
    await assert.rejects(connect({ ...(await bundle('pump-1')), reconnect: false }), /not authori|refused/i);
    await other.publish('devices/pump-2/x', 'still here', { qos: 1 });
    assert.equal((await broker.logged('cert.revoked')).msg, 'cert.revoked');
    assert.match((await broker.logged('cert.revocation')).reason ?? '', /^serial [0-9a-f]{32}, keyCompromise, at /);
  });

  test('a broker that does not run hears of it when it starts', async () => {
    await runMoat(['init'], { cwd: elsewhere });
    assert.equal((await runMoat(['device', 'add', 'pump-4'], { cwd: elsewhere })).code, 0);
    const { code, stdout, stderr } = await runMoat(['device', 'revoke', 'pump-4'], { cwd: elsewhere });
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'revoked 1 certificate of pump-4\n', stderr: '' });
    const again = await runMoat(['device', 'revoke', 'pump-4', '--json'], { cwd: elsewhere });
    assert.deepEqual(JSON.parse(again.stdout), { name: 'pump-4', revoked: [], disconnected: null });
    assert.equal((await moat('revoke', 'nobody')).code, 1);
  });

  test('renew replaces the certificate in the folder and keeps the key; the one before stays good', async () => {
    await add('pump-5', '--hours', '2');
    const file = (name: string) => readFile(join(cwd, 'pump-5', name), 'utf8');
    const [certificate, key] = [await file('client.crt'), await file('client.key')];
    const { code, stderr } = await moat('renew', 'pump-5', '--days', '3');
    assert.equal(code, 0, stderr);
    assert.equal(await file('client.key'), key);
    const [before, next] = [new X509Certificate(certificate), new X509Certificate(await file('client.crt'))];
    assert.ok(Date.parse(before.validTo) - Date.now() < 7_300_000);
    assert.ok(Date.parse(next.validTo) - Date.now() > 2.9 * 86_400_000);
    await (await connected('pump-5')).publish('devices/pump-5/x', 'new', { qos: 1 });
    const old = await connect({ ...(await bundle('pump-5')), cert: certificate, reconnect: false });
    await old.close();
    const shown = JSON.parse((await moat('show', 'pump-5', '--json')).stdout);
    assert.deepEqual(
      shown.certificates.map((one: { state: string; fingerprint: string }) => [one.state, one.fingerprint]),
      [next, before].map((one) => ['valid', one.fingerprint256.replaceAll(':', '').toLowerCase()]),
    );
  });

  test('without its folder a renewed device gets a new key; a revoked one gets nothing', async () => {
    await add('pump-6');
    assert.equal((await moat('renew', 'pump-6', '--out', 'pump-6-new', '--port', String(port))).code, 0);
    await (await connected('pump-6-new')).publish('devices/pump-6/x', 'new', { qos: 1 });
    assert.equal((await moat('renew', 'pump-6', '--out', 'pump-5')).code, 1, "another device's folder");
    await moat('revoke', 'pump-6');
    const { code, stderr } = await moat('renew', 'pump-6');
    assert.equal(code, 1);
    assert.match(stderr, /was revoked/);
    assert.match((await moat('show', 'pump-6')).stdout, /^state +revoked .*\(privilegeWithdrawn\)$/m);
    assert.equal((await moat('show', 'nobody')).code, 1);
  });

  test('sign certifies a key that never left the device', needs('openssl', 'mosquitto_pub'), async () => {
    const request = ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await run('openssl', [...request, '-keyout', join(cwd, 'key.pem'), '-subj', '/CN=valve', '-out', join(cwd, 'csr')]);
    const wrong = await moat('sign', 'csr', '--name', 'admin');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /the request is for "valve"/);
    const { code, stdout, stderr } = await moat('sign', 'csr', '--name', 'valve', '--days', '1');
    assert.equal(code, 0, stderr);
    await writeFile(join(cwd, 'valve.crt'), stdout);
    const tls = ['--cafile', 'moat-data/pki/ca.crt', '--cert', 'valve.crt', '--key', 'key.pem'];
    const absolute = tls.map((word) => (word.startsWith('--') ? word : join(cwd, word)));
    const to = [
      '-h',
      'localhost',
      '-p',
      String(port),
      '-i',
      'valve',
      '-t',
      'devices/valve/x',
      '-m',
      'hello',
      '-q',
      '1',
    ];
    const published = await run('mosquitto_pub', [...to, ...absolute]);
    assert.equal(published.code, 0, published.stderr);
    assert.equal((await moat('sign', 'csr', '--name', 'valve')).code, 1, 'the name is taken');
    assert.equal((await moat('sign', 'csr', '--name', 'valve', '--renew', '--out', 'next.crt')).code, 0);
    assert.match(await readFile(join(cwd, 'next.crt'), 'utf8'), /BEGIN CERTIFICATE/);
    const sign = ['device', 'sign', '--name', 'valve', '--renew'];
    const input = (await run('openssl', ['req', '-in', join(cwd, 'csr')])).stdout;
    assert.match((await runMoat([...sign, '-'], { cwd, input })).stdout, /^-----BEGIN CERTIFICATE-----\n/);
    const missing = await runMoat([...sign, 'missing.csr'], { cwd });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /^moat: cannot read the request: ENOENT/);
    const nowhere = await runMoat([...sign, 'csr', '--out', 'no/such/folder'], { cwd });
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stdout, /^-----BEGIN CERTIFICATE-----\n/);
    assert.match(nowhere.stderr, /^moat: cannot write the certificate, so it is printed: ENOENT/);
  });

  test('PKCS#12 and a C header are written beside the bundle', needs('openssl'), async () => {
    const { stdout } = await moat('add', 'pump-8', '--format', 'p12');
    const [, password = ''] = /shown this once: {2}(\S+)/.exec(stdout) ?? [];
    const opens = async (name: string, given: string) => {
      const args = ['pkcs12', '-in', join(cwd, name, 'client.p12'), '-passin', `pass:${given}`, '-noout'];
      return (await run('openssl', args)).code === 0;
    };
    assert.ok(await opens('pump-8', password));
    assert.ok(!(await opens('pump-8', 'wrong')));
    await writeFile(join(cwd, 'secret'), 'chosen\n');
    assert.equal((await moat('add', 'pump-9', '--format', 'p12', '--p12-password', 'file:secret')).code, 0);
    assert.ok(await opens('pump-9', 'chosen'));
    assert.equal((await moat('add', 'pump-10', '--format', 'p12', '--p12-password', 'plain')).code, 2);
    assert.equal((await moat('add', 'pump-10', '--format', 'c-header')).code, 0);
    assert.match(await readFile(join(cwd, 'pump-10', 'moat_device.h'), 'utf8'), /#define MOAT_CLIENT_ID "pump-10"/);
  });
});
