import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createAuthority,
  type DeviceBundle,
  issueDeviceCertificate,
  prepareBundleDirectory,
  writeDeviceBundle,
} from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
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
