import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createAuthority,
  DerError,
  issueDeviceCertificate,
  pemBlocks,
  RevocationListContent,
  readCertificate,
  signRevocationList,
} from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { assert as holds, integer, property, tuple } from 'fast-check';
import { openssl } from './helpers/openssl.js';

const now = new Date();
const nextUpdate = new Date(now.getTime() + 86_400_000);
const authority = await createAuthority({ now });
const { certificate } = await issueDeviceCertificate(authority, { name: 'pump-7', days: 1, now });
const der = new X509Certificate(certificate).raw;
const list = signRevocationList(authority, [{ serialNumber: '4d', revokedAt: now, reason: 'keyCompromise' }], {
  now,
  nextUpdate,
  number: 1,
});
const listDer = pemBlocks(list, 'X509 CRL')[0] as Buffer;

/** Whatever it reads, it returns or says that it is no DER. */
function reads(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof DerError, String(error));
  }
}

for (const [title, whole, read] of [
  ['a certificate', der, readCertificate],
  ['a revocation list', listDer, RevocationListContent.read],
] as const) {
  test(`${title} with bytes changed or cut off is read, or refused as no DER`, () => {
    for (let length = 0; length < whole.length; length++) reads(() => read(whole.subarray(0, length)));
    const change = tuple(integer({ min: 0, max: whole.length - 1 }), integer({ min: 0, max: 255 }));
    holds(
      property(change, change, (...changes) => {
        const changed = Buffer.from(whole);
        for (const [at, octet] of changes) changed[at] = octet;
        reads(() => read(changed));
      }),
      { numRuns: 2_000 },
    );
  });
}

test('a certificate is read as Node.js reads it', () => {
  const content = readCertificate(der);
  const parsed = new X509Certificate(certificate);
  assert.equal(content.serialNumber, parsed.serialNumber.toLowerCase());
  assert.equal(content.notBefore, Date.parse(parsed.validFrom));
  assert.equal(content.notAfter, Date.parse(parsed.validTo));
  assert.equal(content.isAuthority, false);
  assert.deepEqual(content.extendedKeyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.deepEqual(content.alternativeNames, { dns: [], uri: ['urn:moat:device:pump-7'], email: [] });
  assert.ok(content.publicKeyInfo.equals(parsed.publicKey.export({ type: 'spki', format: 'der' })));
  assert.equal(readCertificate(new X509Certificate(authority.certificate).raw).isAuthority, true);
});

test('a list names what was revoked, and knows who signed it', async () => {
  const content = RevocationListContent.read(listDer);
  assert.deepEqual([content.revokes('4d'), content.revokes('4e'), content.size], [true, false, 1]);
  const { publicKey } = new X509Certificate(authority.certificate);
  const stranger = new X509Certificate((await createAuthority({ now })).certificate).publicKey;
  assert.equal(content.isSignedBy(stranger), false);
  assert.equal(content.isSignedBy(publicKey), true);
  assert.equal(content.isSignedBy(stranger), false);
  const forged = Buffer.from(listDer);
  forged[listDer.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  assert.equal(RevocationListContent.read(forged).isSignedBy(publicKey), false);
});

test('a list that holds only part of what was revoked is refused', needs('openssl'), async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'ca.crt'), authority.certificate);
  await writeFile(join(directory, 'ca.key'), String(authority.privateKey.export({ type: 'pkcs8', format: 'pem' })));
  await writeFile(join(directory, 'index'), '');
  await writeFile(join(directory, 'number'), '01\n');
  const made = async (extension: string, point = ''): Promise<Buffer> => {
    const lines = [
      '[ca]',
      'default_ca = a',
      '[a]',
      `database = ${directory}/index`,
      `crlnumber = ${directory}/number`,
      'default_md = sha256',
      '[crl]',
      extension,
      '[point]',
      point,
      '',
    ];
    await writeFile(join(directory, 'cnf'), lines.join('\n'));
    const signer = ['-cert', join(directory, 'ca.crt'), '-keyfile', join(directory, 'ca.key')];
    const { ok, text } = openssl([
      'ca',
      '-config',
      join(directory, 'cnf'),
      '-gencrl',
      '-crldays',
      '1',
      '-crlexts',
      'crl',
      ...signer,
      '-out',
      join(directory, 'crl'),
    ]);
    assert.ok(ok, text);
    return pemBlocks(openssl(['crl', '-in', join(directory, 'crl')]).text, 'X509 CRL')[0] as Buffer;
  };
  const read = async (extension: string, written = ''): Promise<RevocationListContent> =>
    RevocationListContent.read(await made(extension, written));
  const point = 'issuingDistributionPoint = critical, @point';
  assert.equal((await read('authorityKeyIdentifier = keyid')).covers(true), true);
  const others = await read(point, 'onlyuser = TRUE');
  assert.deepEqual([others.covers(true), others.covers(false)], [false, true]);
  const authorities = await read(point, 'onlyCA = TRUE');
  assert.deepEqual([authorities.covers(true), authorities.covers(false)], [true, false]);
  await assert.rejects(read(point, 'indirectCRL = TRUE'), DerError);
  await assert.rejects(read(point, 'fullname = URI:http://example.com/part.crl'), DerError);
  await assert.rejects(read('2.5.29.27 = critical, ASN1:INTEGER:1'), /changes to another list/);
  await assert.rejects(read('1.2.3.4 = critical, ASN1:NULL'), /critical extension 1\.2\.3\.4/);
  assert.equal((await read('1.2.3.4 = ASN1:NULL')).covers(false), true);
  // True as BER has it, and openssl reads it.
  const critical = (await made('1.2.3.4 = critical, ASN1:NULL')).toString('hex');
  const loose = Buffer.from(critical.replace('2a03040101ff', '2a0304010101'), 'hex');
  assert.throws(() => RevocationListContent.read(loose), /critical extension 1\.2\.3\.4/);
  const onlyAuthorities = (await made(point, 'onlyCA = TRUE')).toString('hex');
  assert.ok(onlyAuthorities.includes('8201ff'));
  const scope = RevocationListContent.read(Buffer.from(onlyAuthorities.replace('8201ff', '820101'), 'hex'));
  assert.deepEqual([scope.covers(true), scope.covers(false)], [true, false]);
});

test('a list with an entry of another authority is refused', () => {
  const other = der30(Buffer.from('0603551d1d', 'hex'), Buffer.from('0101ff', 'hex'), Buffer.from('04023000', 'hex'));
  const reason = der30(Buffer.from('0603551d15', 'hex'), Buffer.from('04030a0101', 'hex'));
  const revoked = Buffer.from('170d3236303130313030303030305a', 'hex');
  const listed = (...extensions: readonly Buffer[]): RevocationListContent =>
    RevocationListContent.read(listOf(der30(Buffer.from('02020080', 'hex'), revoked, der30(...extensions))));
  assert.equal(listed(reason).revokes('80'), true);
  assert.throws(() => listed(reason, other), /an entry has a critical extension/);
});

test('a certificate that says a thing twice is refused', () => {
  const hex = der.toString('hex');
  const [usage, constraints] = ['0603551d0f', '0603551d13'];
  assert.ok(hex.includes(usage) && hex.includes(constraints));
  assert.throws(() => readCertificate(Buffer.from(hex.replace(usage, constraints), 'hex')), /2\.5\.29\.19 twice/);
});

test('a list of 100,000 entries is read and asked', () => {
  const entries = Array.from({ length: 100_000 }, (_, index) => {
    const serial = Buffer.alloc(18, 0x5a);
    serial.writeUInt16BE(0x0210); // an integer of 16 octets
    serial.writeUInt32BE(index, 14);
    return der30(serial, Buffer.from('170d3236303130313030303030305a', 'hex'));
  });
  const content = RevocationListContent.read(listOf(Buffer.concat(entries)));
  assert.equal(content.size, 100_000);
  const serialOf = (index: number): string => `${'5a'.repeat(12)}${index.toString(16).padStart(8, '0')}`;
  for (const index of [0, 1, 50_000, 99_999]) assert.equal(content.revokes(serialOf(index)), true);
  assert.equal(content.revokes(serialOf(100_000)), false);
});

/** A list with these entries, of which nobody asks for the signature. */
function listOf(...entries: readonly Buffer[]): Buffer {
  const [algorithm, signature] = [Buffer.from('300a06082a8648ce3d040302', 'hex'), Buffer.from('03020000', 'hex')];
  const name = readCertificate(new X509Certificate(authority.certificate).raw).subject.der;
  const times = Buffer.from('170d3236303130313030303030305a170d3336303130313030303030305a', 'hex');
  const body = der30(Buffer.from('020101', 'hex'), algorithm, name, times, der30(...entries));
  return der30(body, algorithm, signature);
}

/** A sequence. */
function der30(...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 128) return Buffer.concat([Buffer.of(0x30, content.length), content]);
  const length = Buffer.from(
    content.length.toString(16).padStart(content.length > 0xffff ? 6 : content.length > 0xff ? 4 : 2, '0'),
    'hex',
  );
  return Buffer.concat([Buffer.of(0x30, 0x80 + length.length), length, content]);
}
