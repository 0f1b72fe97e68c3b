import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeCertificate, initAuthority, openAuthority } from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { createAuthorities } from '../dist/authority.js';
import { pkiError } from './helpers/codes.js';
import { openssl } from './helpers/openssl.js';

const now = new Date();
const options = { hosts: ['localhost', '127.0.0.1', '::1'], days: 90, now };

test(
  'one call makes an authority, a list of nobody and a server certificate that openssl accepts',
  needs('openssl'),
  async (t) => {
    const directory = join(await temporaryDirectory(t), 'data', 'pki');
    await initAuthority(directory, options);
    const file = (name: string) => join(directory, name);
    const verified = openssl([
      ...['verify', '-x509_strict', '-purpose', 'sslserver', '-crl_check', '-verify_ip', '::1'],
      ...['-CAfile', file('ca.crt'), '-CRLfile', file('ca.crl'), file('server.crt')],
    ]);
    assert.ok(verified.ok, verified.text);
    const publicKey = openssl(['pkey', '-pubout', '-in', file('server.key')]).text;
    assert.equal(openssl(['x509', '-noout', '-pubkey', '-in', file('server.crt')]).text, publicKey);
  },
);

test('the directory and the keys are for their owner alone', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pki');
  await initAuthority(directory, options);
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  assert.equal(await mode(directory), '700');
  const files = ['ca.crl', 'ca.crt', 'ca.key', 'issued.jsonl', 'revoked.jsonl', 'server.crt', 'server.key'];
  assert.deepEqual((await readdir(directory)).sort(), files);
  for (const name of ['ca.key', 'server.key', 'issued.jsonl', 'revoked.jsonl']) {
    assert.equal(await mode(join(directory, name)), '600', name);
  }
});

test('what was made can be opened, and issues under the same authority', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pki');
  const made = await initAuthority(directory, options);
  const opened = await openAuthority(directory);
  assert.equal(opened.authority.certificate, made.authority.certificate);
  const { certificate } = await opened.issueDevice({ name: 'pump-7', days: 1, now });
  assert.equal(describeCertificate(certificate).issuer, describeCertificate(made.authority.certificate).subject);
});

test('an authority is never made over what is there', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pki');
  await mkdir(directory);
  await initAuthority(directory, options);
  const key = await readFile(join(directory, 'ca.key'), 'utf8');
  await assert.rejects(initAuthority(directory, options), pkiError('pki.exists'));
  assert.equal(await readFile(join(directory, 'ca.key'), 'utf8'), key);
});

test('of several that make the same authority at once one wins, and nothing of the others is left', async (t) => {
  const parent = await temporaryDirectory(t);
  const attempts = Array.from({ length: 4 }, () => initAuthority(join(parent, 'pki'), options));
  const outcomes = await Promise.allSettled(attempts);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.ok(pkiError('pki.exists')(outcome.reason), String(outcome.reason));
  }
  assert.deepEqual(await readdir(parent), ['pki']);
  assert.equal((await (await openAuthority(join(parent, 'pki'))).listIssued()).length, 1);
});

test('an authority whose making fails leaves nothing behind', async (t) => {
  const parent = await temporaryDirectory(t);
  const made = initAuthority(join(parent, 'pki'), { ...options, hosts: ['not a host'] });
  await assert.rejects(made, pkiError('pki.invalid_host'));
  assert.deepEqual(await readdir(parent), []);
});

test('an authority that is missing, in part or in whole, is said to be', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pki');
  await assert.rejects(openAuthority(directory), pkiError('pki.not_found'));
  await initAuthority(directory, options);
  await rm(join(directory, 'ca.key'));
  await assert.rejects(openAuthority(directory), pkiError('pki.not_found', /ca\.key/));
});

test('a damaged authority is an error that names the place', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pki');
  await initAuthority(directory, options);
  await writeFile(join(directory, 'ca.crt'), 'damaged');
  await assert.rejects(openAuthority(directory), pkiError('pki.invalid_file', /pki: /));
});

test('an authority below another one is taken over with its chain only', async (t) => {
  const directory = join(await temporaryDirectory(t), 'pki');
  const { issuing } = await createAuthorities({ now: options.now });
  const making = initAuthority(directory, { ...options, authority: issuing });
  await assert.rejects(making, pkiError('pki.invalid_file', /not self-signed/));
  await assert.rejects(openAuthority(directory), pkiError('pki.not_found'));
});
