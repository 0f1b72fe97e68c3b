import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readCertificateRequest } from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { pkiError } from './helpers/codes.js';
import { openssl } from './helpers/openssl.js';

const keys = {
  'P-256': ['ec', 'ec_paramgen_curve:P-256'],
  'P-384': ['ec', 'ec_paramgen_curve:P-384'],
  Ed25519: ['ed25519', undefined],
  'RSA of 2048 bits': ['rsa', 'rsa_keygen_bits:2048'],
} as const;

function request(directory: string, algorithm: string, option?: string, subject = '/CN=pump-7'): string {
  const key = join(directory, 'key.pem');
  const made = openssl(['genpkey', '-algorithm', algorithm, ...(option ? ['-pkeyopt', option] : []), '-out', key]);
  assert.ok(made.ok, made.text);
  const { ok, text } = openssl(['req', '-new', '-key', key, '-utf8', '-multivalue-rdn', '-subj', subject]);
  assert.ok(ok, text);
  return text;
}

test('reads the name and the key of a request that openssl made', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  for (const [kind, [algorithm, option]] of Object.entries(keys)) {
    const { name, publicKey } = await readCertificateRequest(request(directory, algorithm, option));
    assert.equal(name, 'pump-7', kind);
    const expected = openssl(['pkey', '-pubout', '-in', join(directory, 'key.pem')]).text;
    assert.equal(String(publicKey.export({ type: 'spki', format: 'pem' })), expected, kind);
  }
});

test('a name is read as it is, whatever stands in it', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  for (const name of ['a,b', 'a=b', '"q"', '#0c0161', ' a', 'pümp <7>', 'CN=x', 'a;b'])
    assert.equal((await readCertificateRequest(request(directory, 'ed25519', undefined, `/CN=${name}`))).name, name);
});

test('DER is as good as PEM', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  const pem = request(directory, 'ec', 'ec_paramgen_curve:P-256');
  const der = join(directory, 'request.der');
  assert.ok(openssl(['req', '-outform', 'DER', '-out', der], pem).ok);
  assert.equal((await readCertificateRequest(await readFile(der))).name, 'pump-7');
});

test('a request that was altered proves nothing', needs('openssl'), async (t) => {
  const pem = request(await temporaryDirectory(t), 'ec', 'ec_paramgen_curve:P-256');
  const der = Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
  der[der.indexOf('pump-7')] = 'j'.charCodeAt(0);
  await assert.rejects(readCertificateRequest(der), pkiError('pki.invalid_request', /not signed with the key/));
});

test('one name, and nothing else than a request', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  const p256 = ['ec', 'ec_paramgen_curve:P-256'] as const;
  const refused: [string | Uint8Array, RegExp][] = [
    [request(directory, ...p256, '/CN=pump-7/CN=admin'), /one common name/],
    [request(directory, ...p256, '/CN=pump-7+CN=admin'), /one common name/],
    [request(directory, ...p256, '/O=nobody'), /one common name/],
    ['', /not a PKCS#10/],
    [Buffer.from([0x30, 0x80]), /not a PKCS#10/],
    ['x'.repeat(16_385), /longer/],
  ];
  for (const [text, why] of refused)
    await assert.rejects(readCertificateRequest(text), pkiError('pki.invalid_request', why), String(why));
});

test('a weak key is not certified', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  const weak = [request(directory, 'rsa', 'rsa_keygen_bits:1024'), request(directory, 'ec', 'ec_paramgen_curve:P-224')];
  for (const text of weak) await assert.rejects(readCertificateRequest(text), pkiError('pki.unsupported_key'));
});
