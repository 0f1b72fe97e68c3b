import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createAuthority, describeCertificate, isEncrypted, issueDeviceCertificate, loadAuthority } from '@moat/pki';
import { needs } from '@moat/testkit';
import { pkiError } from './helpers/codes.js';
import { certificateText, openssl } from './helpers/openssl.js';

const now = new Date('2026-05-04T10:00:00Z');

function pemOf(key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

test(
  'an authority may sign certificates and revocation lists, and no other authority (RFC 5280 §4.2.1.9)',
  needs('openssl'),
  async () => {
    const text = certificateText((await createAuthority({ now })).certificate);
    assert.match(text, /Basic Constraints: critical CA:TRUE, pathlen:0 X509v3/);
    assert.match(text, /Key Usage: critical Certificate Sign, CRL Sign X509v3/);
    assert.match(text, /Subject Key Identifier: [0-9A-F:]{59}/);
    assert.match(text, /ASN1 OID: prime256v1/);
    assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
  },
);

test('an authority is good for ten years and is nobody but itself', async () => {
  const one = describeCertificate((await createAuthority({ now })).certificate);
  const other = describeCertificate((await createAuthority({ now })).certificate);
  assert.equal(one.notBefore.toISOString(), '2026-05-04T09:00:00.000Z');
  assert.equal(one.notAfter.toISOString(), '2036-05-04T10:00:00.000Z');
  assert.match(one.subject, /^CN=Moat CA [0-9a-f]{8}$/);
  assert.equal(one.issuer, one.subject);
  assert.notEqual(one.subject, other.subject);
});

test('an authority bears the name that it is given', async () => {
  const { certificate } = await createAuthority({ now, name: 'Plant 7, "north"' });
  assert.equal(describeCertificate(certificate).commonName, 'Plant 7, "north"');
});

test('printing an authority or a certificate with its key shows no key', async () => {
  const authority = await createAuthority({ now });
  const device = await issueDeviceCertificate(authority, { name: 'pump-7', days: 1, now });
  for (const bearer of [authority, device]) {
    const secret = pemOf(bearer.privateKey).split('\n')[1] ?? '';
    assert.ok(secret.length > 40);
    assert.ok(!inspect(bearer, { depth: Infinity, showHidden: true }).includes(secret));
    assert.ok(!JSON.stringify(bearer).includes(secret));
  }
});

test('an authority can be put together again from its PEM texts', async () => {
  const made = await createAuthority({ now });
  const loaded = loadAuthority(made.certificate, pemOf(made.privateKey));
  const { certificate } = await issueDeviceCertificate(loaded, { name: 'pump-7', days: 1, now });
  assert.equal(describeCertificate(certificate).issuer, describeCertificate(made.certificate).subject);
});

test('texts that make no authority are refused', needs('openssl'), async () => {
  const [one, other] = [await createAuthority({ now }), await createAuthority({ now })];
  const device = await issueDeviceCertificate(one, { name: 'pump-7', days: 1, now });
  const rsa = openssl(['genpkey', '-quiet', '-algorithm', 'RSA']).text;
  const key = pemOf(one.privateKey);
  const refused = pkiError('pki.invalid_file');
  assert.throws(() => loadAuthority('', key), refused);
  assert.throws(() => loadAuthority(one.certificate, one.certificate), refused);
  assert.throws(() => loadAuthority(one.certificate, pemOf(other.privateKey)), refused);
  assert.throws(() => loadAuthority(one.certificate, rsa), pkiError('pki.invalid_file', /does not belong/));
  assert.throws(() => loadAuthority(device.certificate, pemOf(device.privateKey)), refused);
});

test('an encrypted key is opened by its passphrase and no other', needs('openssl'), async () => {
  const { certificate, privateKey } = await createAuthority({ now });
  const encrypted = [
    String(privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })),
    openssl(['ec', '-aes256', '-passout', 'pass:secret'], pemOf(privateKey)).text,
  ];
  for (const key of encrypted) {
    assert.ok(isEncrypted(key));
    assert.ok(loadAuthority(certificate, key, 'secret').privateKey.equals(privateKey));
    assert.throws(() => loadAuthority(certificate, key), pkiError('pki.passphrase', /is encrypted/));
    assert.throws(() => loadAuthority(certificate, key, ''), pkiError('pki.passphrase', /is encrypted/));
    assert.throws(() => loadAuthority(certificate, key, 'wrong'), pkiError('pki.passphrase', /does not open/));
  }
});

test('a damaged key is refused without a word of it in the error', async () => {
  const { certificate, privateKey } = await createAuthority({ now });
  const damaged = pemOf(privateKey).replace('PRIVATE KEY', 'PRIVATE  KEY');
  const secret = damaged.split('\n')[1] ?? '';
  assert.throws(
    () => loadAuthority(certificate, damaged),
    (error) => pkiError('pki.invalid_file')(error) && !inspect(error, { depth: Infinity }).includes(secret),
  );
});
