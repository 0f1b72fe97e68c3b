import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  createAuthority,
  type DeviceBundle,
  isKeyOf,
  issueDeviceCertificate,
  prepareBundleDirectory,
  readBundleKey,
  replaceBundleIdentity,
  writeDeviceBundle,
} from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { startModule } from './helpers/child.js';
import { pkiError } from './helpers/codes.js';
import { openssl } from './helpers/openssl.js';

async function newBundle(name = 'pump-7'): Promise<DeviceBundle> {
  const now = new Date();
  const authority = await createAuthority({ now });
  const issued = await issueDeviceCertificate(authority, { name, days: 1, now });
  return { ...issued, name, caCertificate: authority.certificate, host: 'broker.example.com', port: 8883 };
}

test('a bundle holds what a device needs, and openssl accepts it', needs('openssl'), async (t) => {
  const directory = join(await temporaryDirectory(t), 'devices', 'pump-7');
  await writeDeviceBundle(directory, await newBundle());
  assert.deepEqual((await readdir(directory)).sort(), ['ca.crt', 'client.crt', 'client.key', 'connection.json']);
  const file = (name: string) => join(directory, name);
  const verified = openssl(['verify', '-purpose', 'sslclient', '-CAfile', file('ca.crt'), file('client.crt')]);
  assert.ok(verified.ok, verified.text);
  const publicKey = openssl(['pkey', '-pubout', '-in', file('client.key')]).text;
  assert.equal(openssl(['x509', '-noout', '-pubkey', '-in', file('client.crt')]).text, publicKey);
});

test('connection.json says how to connect, with paths from its own folder', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeDeviceBundle(directory, await newBundle());
  assert.deepEqual(JSON.parse(await readFile(join(directory, 'connection.json'), 'utf8')), {
    host: 'broker.example.com',
    port: 8883,
    protocol: 'mqtts',
    clientId: 'pump-7',
    username: 'pump-7',
    ca: 'ca.crt',
    cert: 'client.crt',
    key: 'client.key',
  });
});

test('the key and a new folder are for their owner alone', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pump-7');
  await writeDeviceBundle(directory, await newBundle());
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.equal((await stat(join(directory, 'client.key'))).mode & 0o777, 0o600);
});

test('a bundle never replaces another, not even a part of one', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeDeviceBundle(directory, await newBundle());
  const key = await readFile(join(directory, 'client.key'), 'utf8');
  await assert.rejects(writeDeviceBundle(directory, await newBundle('pump-8')), pkiError('pki.exists'));
  assert.equal(await readFile(join(directory, 'client.key'), 'utf8'), key);

  for (const name of ['ca.crt', 'client.crt', 'client.key', 'connection.json']) {
    const other = join(directory, `with-${name}`);
    await mkdir(other);
    await writeFile(join(other, name), 'kept');
    await assert.rejects(prepareBundleDirectory(other), pkiError('pki.exists', new RegExp(name)));
  }
});

test('a renewed certificate takes the place of the old one, a new key comes with it in one moment', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pump-7');
  const bundle = await newBundle();
  await writeDeviceBundle(directory, bundle);
  const connection = join(directory, 'connection.json');
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  const next = await newBundle();
  await replaceBundleIdentity(connection, next.certificate, await read('client.key'));
  assert.equal(await read('client.crt'), next.certificate);
  const key = String(next.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await replaceBundleIdentity(connection, next.certificate, key);
  const named = JSON.parse(await read('connection.json'));
  assert.equal(named.clientId, 'pump-7');
  assert.ok(isKeyOf(await read(named.cert), createPrivateKey(await read(named.key))));
  assert.equal((await stat(join(directory, named.key))).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(directory)).sort(), ['ca.crt', named.cert, named.key, 'connection.json'].sort());
  assert.ok(await readBundleKey(directory, 'pump-7'), 'whoever renews it from outside finds the key');
});

test('a renewed certificate goes nowhere where no bundle says where to', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'connection.json');
  const { certificate } = await newBundle();
  for (const text of [
    '{ "cert": "client.crt", ',
    'null',
    '{ "cert": "client.crt" }',
    '{ "cert": 1, "key": 2 }',
    undefined,
  ]) {
    if (text === undefined) await rm(file);
    else await writeFile(file, text);
    const wanted = pkiError('pki.invalid_file', /connection\.json names no certificate and key/);
    await assert.rejects(replaceBundleIdentity(file, certificate, 'key'), wanted);
    if (text !== undefined) await assert.rejects(readBundleKey(directory, 'pump-7'), wanted);
  }
  assert.deepEqual(await readdir(directory), []);
});

test('killed at any moment of a renewal, the folder holds a certificate and the key to it', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pump-7');
  await writeDeviceBundle(directory, await newBundle());
  const renewing = `
    const { createAuthority, issueDeviceCertificate, replaceBundleIdentity } = await import('@moat/pki');
    const now = new Date();
    const authority = await createAuthority({ now });
    const all = await Promise.all([1, 2, 3].map(() => issueDeviceCertificate(authority, { name: 'pump-7', days: 1, now })));
    const identities = all.map(({ certificate, privateKey }) => [certificate, String(privateKey.export({ type: 'pkcs8', format: 'pem' }))]);
    console.log('ready');
    for (let n = 0; ; n++) await replaceBundleIdentity(process.argv[1], ...identities[n % 3]);`;
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  const keys = new Set<string>();
  for (let round = 0; round < 8; round++) {
    const child = startModule(renewing, join(directory, 'connection.json'));
    await once(child.stdout, 'data');
    await setTimeout(20 + round * 7);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { cert, key } = JSON.parse(await read('connection.json'));
    assert.ok(isKeyOf(await read(cert), createPrivateKey(await read(key))), `round ${round}`);
    keys.add(await read(key));
  }
  assert.ok(keys.size > 1, 'keys were replaced meanwhile');
});
