import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAuthority, describeCertificate, issueDeviceCertificate, needsRenewal } from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { pkiError } from './helpers/codes.js';
import { openssl } from './helpers/openssl.js';

async function selfSigned(t: TestContext, ...more: readonly string[]): Promise<string> {
  const key = join(await temporaryDirectory(t), 'key');
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  const { text } = openssl([...args, ...more]);
  return text.slice(text.indexOf('-----BEGIN CERTIFICATE'));
}

test('a certificate that openssl made is described as openssl does', needs('openssl'), async (t) => {
  const subject = ['-subj', '/C=DE/O=Plant, north/CN=pump-7', '-set_serial', '0xAB01', '-days', '10'];
  const names = 'subjectAltName=DNS:a.example,IP:192.0.2.1,IP:2001:db8::7,URI:urn:x:y,email:a@example.com';
  const pem = await selfSigned(t, ...subject, '-addext', names);
  const described = describeCertificate(pem);
  const printed = (option: string) => openssl(['x509', '-noout', option, '-sha256'], pem).text.trim().split('=').at(-1);
  assert.equal(described.subject, 'C=DE, O=Plant\\, north, CN=pump-7');
  assert.equal(described.issuer, described.subject);
  assert.equal(described.commonName, 'pump-7');
  assert.equal(described.serialNumber, 'ab01');
  assert.equal(described.fingerprint, printed('-fingerprint')?.replaceAll(':', '').toLowerCase());
  assert.equal(described.notBefore.getTime(), Date.parse(printed('-startdate') ?? ''));
  assert.equal(described.notAfter.getTime(), Date.parse(printed('-enddate') ?? ''));
  assert.deepEqual(described.alternativeNames, [
    { type: 'dns', value: 'a.example' },
    { type: 'ip', value: '192.0.2.1' },
    { type: 'ip', value: '2001:db8::7' },
    { type: 'uri', value: 'urn:x:y' },
    { type: 'email', value: 'a@example.com' },
  ]);
});

test('an alternative name cannot pretend to be two', needs('openssl'), async (t) => {
  const config = join(await temporaryDirectory(t), 'config');
  const sections = ['[req]', 'distinguished_name=dn', 'x509_extensions=ext', '[dn]', '[ext]', 'subjectAltName=@names'];
  await writeFile(config, [...sections, '[names]', 'URI.1 = urn:a, DNS:admin', 'URI.2 = urn:\\"b\\"', ''].join('\n'));
  const pem = await selfSigned(t, '-subj', '/CN=x', '-config', config);
  assert.deepEqual(describeCertificate(pem).alternativeNames, [
    { type: 'uri', value: 'urn:a, DNS:admin' },
    { type: 'uri', value: 'urn:"b"' },
  ]);
});

test('a certificate without common name or alternative names has none', needs('openssl'), async (t) => {
  const { commonName, alternativeNames } = describeCertificate(await selfSigned(t, '-subj', '/O=Plant'));
  assert.equal(commonName, undefined);
  assert.deepEqual(alternativeNames, []);
});

test('of two common names the first counts', needs('openssl'), async (t) => {
  const { commonName } = describeCertificate(await selfSigned(t, '-subj', '/CN=pump-7/CN=admin'));
  assert.equal(commonName, 'pump-7');
});

test('a certificate is due for renewal when less than a third of its life is left', async () => {
  const now = new Date('2026-05-04T10:00:00Z');
  const authority = await createAuthority({ now });
  const days = 30 - 1 / 24; // and the hour before `now`: 30 days in all, of which ten are a third
  const { certificate } = await issueDeviceCertificate(authority, { name: 'pump-7', days, now });
  assert.equal(needsRenewal(certificate, now), false);
  assert.equal(needsRenewal(certificate, new Date('2026-05-24T09:00:00Z')), false);
  assert.equal(needsRenewal(certificate, new Date('2026-05-24T09:00:01Z')), true);
  assert.equal(needsRenewal(certificate, new Date('2030-01-01T00:00:00Z')), true);
});

test('what is no certificate is refused', () => {
  for (const pem of ['', 'x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
    assert.throws(() => describeCertificate(pem), pkiError('pki.invalid_file'));
    assert.throws(() => needsRenewal(pem, new Date()), pkiError('pki.invalid_file'));
  }
});
