import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createAuthority,
  describeCertificate,
  issueDeviceCertificate,
  REVOCATION_REASONS,
  type RevokedCertificate,
  signRevocationList,
} from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { openssl } from './helpers/openssl.js';

const now = new Date();
const nextUpdate = new Date(now.getTime() + 7 * 86_400_000);
const authority = await createAuthority({ now });

function sign(entries: readonly RevokedCertificate[], number = 1): string {
  return signRevocationList(authority, entries, { now, nextUpdate, number });
}

test('openssl verifies the signature of a list with the certificate of its authority', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  const other = await createAuthority({ now });
  await writeFile(join(directory, 'ca.crt'), authority.certificate);
  await writeFile(join(directory, 'other.crt'), other.certificate);
  const list = sign([]);
  assert.match(list, /^-----BEGIN X509 CRL-----\n/);
  assert.match(openssl(['crl', '-noout', '-CAfile', join(directory, 'ca.crt')], list).text, /verify OK/);
  assert.doesNotMatch(openssl(['crl', '-noout', '-CAfile', join(directory, 'other.crt')], list).text, /verify OK/);
});

test('openssl refuses what is on the list, and accepts what is not', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  const [good, bad] = [
    await issueDeviceCertificate(authority, { name: 'good', days: 1, now }),
    await issueDeviceCertificate(authority, { name: 'bad', days: 1, now }),
  ];
  const { serialNumber } = describeCertificate(bad.certificate);
  await writeFile(join(directory, 'ca.crt'), authority.certificate);
  await writeFile(join(directory, 'ca.crl'), sign([{ serialNumber, revokedAt: now, reason: 'keyCompromise' }]));
  const args = [
    'verify',
    '-x509_strict',
    '-crl_check',
    '-CAfile',
    join(directory, 'ca.crt'),
    '-CRLfile',
    join(directory, 'ca.crl'),
  ];
  assert.ok(openssl(args, good.certificate).ok);
  const refused = openssl(args, bad.certificate);
  assert.ok(!refused.ok);
  assert.match(refused.text, /certificate revoked/);
});

test(
  'a list says who signed it, when, its number, and each revocation with date and reason (RFC 5280 §5)',
  needs('openssl'),
  async () => {
    const entries = REVOCATION_REASONS.map((reason, index) => ({
      serialNumber: `4${index}`.padEnd(32, '0'),
      revokedAt: new Date('2026-01-02T03:04:05Z'),
      reason,
    }));
    const text = openssl(['crl', '-noout', '-text'], sign(entries, 4711)).text.replace(/\s+/g, ' ');
    assert.match(text, /Version 2 \(0x1\) Signature Algorithm: ecdsa-with-SHA256/);
    assert.match(text, /Authority Key Identifier: [0-9A-F:]{59} X509v3 CRL Number: 4711 /);
    for (const [index, reason] of [
      'Privilege Withdrawn',
      'Key Compromise',
      'Superseded',
      'Cessation Of Operation',
    ].entries()) {
      const serial = `4${index}`.padEnd(32, '0');
      const entry = `Serial Number: ${serial} Revocation Date: Jan 2 03:04:05 2026 GMT CRL entry extensions: X509v3 CRL Reason Code: ${reason} `;
      assert.ok(text.includes(entry), reason);
    }
  },
);

test('a list of nobody has no empty list of entries in it (RFC 5280 §5.1.2.6)', needs('openssl'), async () => {
  const list = sign([]);
  assert.match(openssl(['crl', '-noout', '-text'], list).text, /No Revoked Certificates/);
  assert.doesNotMatch(openssl(['asn1parse'], list).text, / l= +0 cons/);
});

test('numbers are positive whatever their first bit (RFC 5280 §5.2.3)', needs('openssl'), async () => {
  for (const number of [0, 1, 127, 128, 255, 256, 0x7fff, 0x8000, 0x123456, 0x80000000, Number.MAX_SAFE_INTEGER]) {
    const { text } = openssl(['crl', '-noout', '-crlnumber'], sign([], number));
    assert.equal(Number(text.trim().replace('crlNumber=', '')), number, text);
  }
});

test('a list of 50,000 revocations is signed in time that grows with their number', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  const entries = Array.from({ length: 50_000 }, (_, index) => ({
    serialNumber: (0x4000_0000 + index).toString(16),
    revokedAt: now,
    reason: 'superseded' as const,
  }));
  const cost = (count: number): number => {
    const before = process.cpuUsage();
    sign(entries.slice(0, count));
    return process.cpuUsage(before).user;
  };
  cost(5_000); // until it is compiled
  const [few, many] = [cost(5_000), cost(50_000)];
  assert.ok(many < few * 40, `${few} µs for 5,000, ${many} µs for 50,000: were it quadratic, a hundred times as much`);
  await writeFile(join(directory, 'ca.crt'), authority.certificate);
  await writeFile(join(directory, 'long.crl'), sign(entries));
  const verified = openssl(['crl', '-in', join(directory, 'long.crl'), '-noout', '-CAfile', join(directory, 'ca.crt')]);
  assert.match(verified.text, /verify OK/);
  const { text } = openssl(['crl', '-in', join(directory, 'long.crl'), '-noout', '-text']);
  assert.equal(text.match(/Serial Number:/g)?.length, 50_000);
});
