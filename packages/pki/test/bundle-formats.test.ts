import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  createAuthority,
  type DeviceBundle,
  issueDeviceCertificate,
  readBundleKey,
  replaceBundleCertificate,
  writeBundleCHeader,
  writeBundlePkcs12,
  writeDeviceBundle,
} from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { pkiError } from './helpers/codes.js';
import { openssl } from './helpers/openssl.js';

async function newBundle(t: TestContext, name = 'pump-7'): Promise<{ bundle: DeviceBundle; directory: string }> {
  const now = new Date();
  const authority = await createAuthority({ now });
  const issued = await issueDeviceCertificate(authority, { name, days: 1, now });
  const bundle = { ...issued, name, caCertificate: authority.certificate, host: 'broker.example.com', port: 8883 };
  const directory = await temporaryDirectory(t);
  await writeDeviceBundle(directory, bundle);
  return { bundle, directory };
}

test('openssl opens client.p12 with its password, and with no other', needs('openssl'), async (t) => {
  const { bundle, directory } = await newBundle(t);
  const file = join(directory, 'client.p12');
  for (const password of ['correct horse', 'ünïcode']) {
    await writeBundlePkcs12(directory, bundle, password);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const read = (...args: string[]) => openssl(['pkcs12', '-in', file, '-passin', `pass:${password}`, ...args]);
    const keyFile = await readFile(join(directory, 'client.key'), 'utf8');
    assert.equal(openssl(['pkey'], read('-nocerts', '-nodes').text).text, keyFile);
    assert.equal(openssl(['x509'], read('-nokeys', '-clcerts').text).text, bundle.certificate);
    assert.equal(openssl(['x509'], read('-nokeys', '-cacerts').text).text, bundle.caCertificate);
    assert.match(read('-info', '-noout').text, /MAC: sha256, Iteration 100000(.|\n)*PBES2, PBKDF2, AES-256-CBC/);
    const other = openssl(['pkcs12', '-in', file, '-passin', 'pass:wrong', '-noout']);
    assert.ok(!other.ok && /invalid password/.test(other.text), other.text);
  }
});

test('moat_device.h gives a C compiler the same bytes as the files', needs('gcc'), async (t) => {
  const name = 'pump "7" ??/ */ é1';
  const { bundle, directory } = await newBundle(t, name.replace('/', '').replace('/', ''));
  await writeBundleCHeader(directory, bundle);
  assert.equal((await stat(join(directory, 'moat_device.h'))).mode & 0o777, 0o600);
  for (const [variable, expected] of [
    ['moat_ca_crt', bundle.caCertificate],
    ['moat_client_crt', bundle.certificate],
    ['moat_client_key', await readFile(join(directory, 'client.key'), 'utf8')],
    ['MOAT_CLIENT_ID', bundle.name],
    ['MOAT_HOST', 'broker.example.com'],
  ] as const) {
    const program = `#include <stdio.h>\n#include "moat_device.h"\nint main(void) { fputs(${variable}, stdout); return MOAT_PORT != 8883; }`;
    assert.equal(await compiled(directory, program), expected, variable);
  }
});

async function compiled(directory: string, program: string): Promise<string> {
  const { spawnSync } = await import('node:child_process');
  const binary = join(directory, 'program');
  const gcc = ['-std=c99', '-Wall', '-Wno-unused-variable', '-Werror', '-I', directory, '-x', 'c', '-o', binary, '-'];
  const { status, stderr } = spawnSync('gcc', gcc, { input: program, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return spawnSync(binary, { encoding: 'utf8' }).stdout;
}

test('a folder gives its key to a renewal of the same device only', needs('openssl'), async (t) => {
  const { bundle, directory } = await newBundle(t);
  assert.ok((await readBundleKey(directory, 'pump-7'))?.equals(bundle.privateKey));
  await assert.rejects(readBundleKey(directory, 'pump-8'), pkiError('pki.exists', /pump-7/));
  assert.equal(await readBundleKey(await temporaryDirectory(t), 'pump-7'), undefined);
  await replaceBundleCertificate(directory, 'next');
  assert.equal(await readFile(join(directory, 'client.crt'), 'utf8'), 'next');
});
