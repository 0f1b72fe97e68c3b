import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAuthority, describeCertificate, issueDeviceCertificate, issueServerCertificate } from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { pkiError } from './helpers/codes.js';
import { certificateText, openssl } from './helpers/openssl.js';

const now = new Date();
const hosts = ['broker.example.com', '*.devices.example.com', '127.0.0.1', '::1', 'bücher.example'];

async function verifier(t: TestContext, ca: string) {
  const caFile = join(await temporaryDirectory(t), 'ca.crt');
  await writeFile(caFile, ca);
  return (pem: string, ...more: readonly string[]) =>
    openssl(['verify', '-x509_strict', '-CAfile', caFile, ...more], pem).ok;
}

test(
  'openssl accepts the certificate of a server as such, for its hosts and for no other',
  needs('openssl'),
  async (t) => {
    const authority = await createAuthority({ now });
    const verify = await verifier(t, authority.certificate);
    const { certificate } = await issueServerCertificate(authority, { hosts, days: 90, now });
    assert.ok(verify(certificate, '-purpose', 'sslserver'));
    assert.ok(!verify(certificate, '-purpose', 'sslclient'));
    for (const name of ['broker.example.com', 'a.devices.example.com', 'xn--bcher-kva.example']) {
      assert.ok(verify(certificate, '-verify_hostname', name), name);
    }
    assert.ok(!verify(certificate, '-verify_hostname', 'other.example.com'));
    assert.ok(verify(certificate, '-verify_ip', '127.0.0.1'));
    assert.ok(verify(certificate, '-verify_ip', '::1'));
    assert.ok(!verify(certificate, '-verify_ip', '127.0.0.2'));
  },
);

test(
  'openssl accepts the certificate of a device as that of a client, and not as a server of the same name',
  needs('openssl'),
  async (t) => {
    const authority = await createAuthority({ now });
    const verify = await verifier(t, authority.certificate);
    const { certificate } = await issueDeviceCertificate(authority, { name: 'broker.example.com', days: 90, now });
    assert.ok(verify(certificate, '-purpose', 'sslclient'));
    assert.ok(!verify(certificate, '-purpose', 'sslserver'));
  },
);

test('a certificate of another authority of the same name is refused', needs('openssl'), async (t) => {
  const [trusted, other] = [await createAuthority({ now, name: 'CA' }), await createAuthority({ now, name: 'CA' })];
  const verify = await verifier(t, trusted.certificate);
  const { certificate } = await issueDeviceCertificate(other, { name: 'pump-7', days: 90, now });
  assert.ok(!verify(certificate));
});

test('the extensions of a server certificate are those of RFC 5280 §4.2.1', needs('openssl'), async () => {
  const authority = await createAuthority({ now });
  const { certificate } = await issueServerCertificate(authority, { hosts, days: 90, now });
  const text = certificateText(certificate);
  const keyId = /Subject Key Identifier: ([0-9A-F:]{59})/.exec(certificateText(authority.certificate))?.[1];
  assert.match(text, /Basic Constraints: critical CA:FALSE X509v3/);
  assert.match(text, /Key Usage: critical Digital Signature X509v3/);
  assert.match(text, /Extended Key Usage: TLS Web Server Authentication X509v3/);
  assert.match(text, /Subject: CN = broker.example.com /);
  assert.ok(keyId && text.includes(`Authority Key Identifier: ${keyId} `));
  assert.deepEqual(describeCertificate(certificate).alternativeNames, [
    { type: 'dns', value: 'broker.example.com' },
    { type: 'dns', value: '*.devices.example.com' },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
    { type: 'dns', value: 'xn--bcher-kva.example' },
  ]);
});

test('a device certificate names the device, and bears a URI in place of a host', needs('openssl'), async () => {
  const authority = await createAuthority({ now });
  const { certificate } = await issueDeviceCertificate(authority, { name: 'Pumpe 7 (Süd)', days: 30, now });
  assert.match(certificateText(certificate), /Extended Key Usage: TLS Web Client Authentication X509v3/);
  const { commonName, alternativeNames } = describeCertificate(certificate);
  assert.equal(commonName, 'Pumpe 7 (Süd)');
  assert.deepEqual(alternativeNames, [{ type: 'uri', value: 'urn:moat:device:Pumpe%207%20(S%C3%BCd)' }]);
});

test(
  'no name is read as syntax: a certificate names exactly the device that was asked for',
  needs('openssl'),
  async () => {
    const authority = await createAuthority({ now });
    const names = [
      'x"admin"',
      '"admin"',
      'a\\,CN=admin',
      'a, CN=admin',
      'CN=admin',
      'a\\0ab',
      '<a;b&c>',
      '漢字',
      'é_@*',
    ];
    for (const name of names) {
      const { certificate } = await issueDeviceCertificate(authority, { name, days: 30, now });
      assert.equal(describeCertificate(certificate).commonName, name);
      assert.equal(certificateText(certificate).split('UTF8STRING').length, 1);
      assert.equal(openssl(['asn1parse'], certificate).text.match(/:commonName/g)?.length, 2, name);
    }
  },
);

test('serial numbers are positive, of 16 octets, and all different (RFC 5280 §4.1.2.2)', async () => {
  const authority = await createAuthority({ now });
  const issue = () => issueDeviceCertificate(authority, { name: 'pump-7', days: 30, now });
  const issued = await Promise.all(Array.from({ length: 64 }, issue));
  const serials = issued.map(({ certificate }) => describeCertificate(certificate).serialNumber);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9a-f]{31}$/);
  assert.equal(new Set(serials).size, serials.length);
});

test('validity begins an hour early, lasts the days asked for, and ends with the authority at the latest', async () => {
  const start = new Date('2026-05-04T10:00:00Z');
  const authority = await createAuthority({ now: start });
  const validity = async (days: number) => {
    const { certificate } = await issueDeviceCertificate(authority, { name: 'pump-7', days, now: start });
    const { notBefore, notAfter } = describeCertificate(certificate);
    return [notBefore.toISOString(), notAfter.toISOString()];
  };
  assert.deepEqual(await validity(30), ['2026-05-04T09:00:00.000Z', '2026-06-03T10:00:00.000Z']);
  assert.deepEqual(await validity(0.25), ['2026-05-04T09:00:00.000Z', '2026-05-04T16:00:00.000Z']);
  assert.deepEqual(await validity(Infinity), ['2026-05-04T09:00:00.000Z', '2036-05-04T10:00:00.000Z']);
});

test('days that are none, and an authority that has ended, are refused', async () => {
  const authority = await createAuthority({ now });
  const later = new Date(now.getTime() + 11 * 366 * 86_400_000);
  for (const days of [0, -1, Number.NaN]) {
    const issued = issueDeviceCertificate(authority, { name: 'pump-7', days, now });
    await assert.rejects(issued, pkiError('pki.invalid_days'));
  }
  const issued = issueDeviceCertificate(authority, { name: 'pump-7', days: 1, now: later });
  await assert.rejects(issued, pkiError('pki.authority_expired'));
});

test('a server certificate can be renewed for the key that the server has', needs('openssl'), async () => {
  const authority = await createAuthority({ now });
  const first = await issueServerCertificate(authority, { hosts, days: 1, now });
  const second = await issueServerCertificate(authority, { hosts, days: 1, now, privateKey: first.privateKey });
  const publicKey = (pem: string) => openssl(['x509', '-noout', '-pubkey'], pem).text;
  assert.equal(publicKey(second.certificate), publicKey(first.certificate));
  assert.notEqual(second.certificate, first.certificate);
});

test('what is neither a host name nor an address is refused', async () => {
  const authority = await createAuthority({ now });
  const refused = [
    ...['', ' ', 'a b', 'a\0.example', 'a/b', 'a@b', 'a?b', 'a／b', 'bücher/x', 'ü@x', 'mqtts://broker', 'broker:8883'],
    ...['[::1]', 'fe80::1%eth0', '1.2.3', '1.2.3.4/8', '0x7f.1', '256.1.1.1', '*.1.2.3.4'],
    ...['-a.example', 'a-.example', 'a..b', '.a', 'a.', '*', '*a.example', 'a.*.b', '**.example', '*.*.example'],
    ...[`${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}example`],
  ];
  for (const host of refused) {
    const issued = issueServerCertificate(authority, { hosts: ['localhost', host], days: 1, now });
    await assert.rejects(issued, pkiError('pki.invalid_host'), JSON.stringify(host));
  }
  await assert.rejects(issueServerCertificate(authority, { hosts: [], days: 1, now }), pkiError('pki.invalid_host'));
});

test('host names of any usual kind are accepted, in small letters', async () => {
  const authority = await createAuthority({ now });
  const accepted = [
    'LOCALHOST',
    'my_machine',
    '830192837465',
    'a-1.b-2',
    'xn--bcher-kva.example',
    `${'a'.repeat(63)}.example`,
  ];
  const { certificate } = await issueServerCertificate(authority, { hosts: accepted, days: 1, now });
  const names = describeCertificate(certificate).alternativeNames;
  assert.deepEqual(
    names,
    accepted.map((host) => ({ type: 'dns', value: host.toLowerCase() })),
  );
});

test('a host name that is too long for a common name stands in the alternative names alone', async () => {
  const authority = await createAuthority({ now });
  const long = `${'a'.repeat(60)}.example.com`;
  const { certificate } = await issueServerCertificate(authority, { hosts: [long], days: 1, now });
  const { commonName, alternativeNames } = describeCertificate(certificate);
  assert.equal(commonName, 'Moat server');
  assert.deepEqual(alternativeNames, [{ type: 'dns', value: long }]);
});
