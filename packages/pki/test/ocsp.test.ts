import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext, test } from 'node:test';
import {
  createAuthority,
  DerError,
  issueDeviceCertificate,
  type OcspExpectation,
  readCertificate,
  readOcspAnswer,
  writeOcspRequest,
} from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { assert as holds, integer, property } from 'fast-check';
import { openssl } from './helpers/openssl.js';

const nonce = Buffer.alloc(32, 0x4d);

interface Exchange {
  readonly answer: Buffer;
  readonly expectation: OcspExpectation;
  /** What openssl makes of the request. */
  readonly request: string;
}

/** A request about a certificate of a new authority, and what `openssl ocsp` answers. */
async function exchange(t: TestContext, line: string, ...more: readonly string[]): Promise<Exchange> {
  const directory = await temporaryDirectory(t);
  const file = (name: string): string => join(directory, name);
  const authority = await createAuthority({ now: new Date() });
  const { certificate } = await issueDeviceCertificate(authority, { name: 'pump', days: 1, now: new Date() });
  const issuer = asKnown(authority.certificate);
  const { serialNumber } = readCertificate(new X509Certificate(certificate).raw);
  await writeFile(file('ca.crt'), authority.certificate);
  await writeFile(file('ca.key'), String(authority.privateKey.export({ type: 'pkcs8', format: 'pem' })));
  await writeFile(file('index'), line === '' ? '' : `${line}\t${serialNumber.toUpperCase()}\tunknown\t/CN=pump\n`);
  await writeFile(file('request'), writeOcspRequest(issuer.content, serialNumber, nonce));
  const signer = ['-CA', file('ca.crt'), '-rsigner', file('ca.crt'), '-rkey', file('ca.key')];
  const args = [
    'ocsp',
    '-index',
    file('index'),
    ...signer,
    '-reqin',
    file('request'),
    '-respout',
    file('answer'),
    ...more,
  ];
  const made = openssl(args);
  assert.ok(made.ok, made.text);
  const request = openssl(['ocsp', '-reqin', file('request'), '-req_text']).text.replace(/\s+/g, ' ');
  return {
    answer: await readFile(file('answer')),
    expectation: { issuer, serialNumber, nonce, now: Date.now() },
    request,
  };
}

const asKnown = (pem: string): OcspExpectation['issuer'] => {
  const certificate = new X509Certificate(pem);
  return { certificate, content: readCertificate(certificate.raw) };
};

const good = 'V\t401231235959Z\t';
const revoked = 'R\t401231235959Z\t260101000000Z,keyCompromise';

test('a responder that does not answer is told in the words of RFC 6960', async () => {
  const issuer = asKnown((await createAuthority({ now: new Date() })).certificate);
  const read = (hex: string) =>
    readOcspAnswer(Buffer.from(hex, 'hex'), { issuer, serialNumber: '4d', nonce, now: Date.now() });
  for (const [hex, message] of [
    ['30030a0101', /answers malformedRequest/],
    ['30030a0103', /answers tryLater/],
    ['30030a0106', /answers unauthorized/],
    ['30030a0109', /answers what is no status/],
    ['30020a00', /answers what is no status/],
    ['30030a0100', /ends too early/],
    ['30120a0100a00d300b06092b0601050507300102', /unknown kind of answer/],
  ] as const)
    assert.throws(
      () => read(hex),
      (error) => error instanceof DerError && message.test(error.message),
      hex,
    );
});

describe('An OCSP exchange with openssl', needs('openssl'), () => {
  it('asks about one certificate, with a nonce', async (t) => {
    const { request, expectation } = await exchange(t, good);
    assert.match(request, /Hash Algorithm: sha1/);
    assert.ok(request.includes(`Serial Number: ${expectation.serialNumber.toUpperCase()}`));
    assert.match(request, /OCSP Nonce: 04204D4D/);
  });

  for (const [line, status] of [
    [good, 'good'],
    [revoked, 'revoked'],
    ['', 'unknown'],
  ] as const) {
    it(`learns that a certificate is ${status}`, async (t) => {
      const { answer, expectation } = await exchange(t, line, '-nmin', '5');
      const read = readOcspAnswer(answer, expectation);
      assert.equal(read.status, status);
      assert.equal((read.nextUpdate ?? 0) - read.thisUpdate, 300_000);
    });
  }

  it('believes no answer that is about another certificate, of another authority, of another request or time', async (t) => {
    const { answer, expectation } = await exchange(t, good, '-nmin', '5');
    const { now } = expectation;
    const other = asKnown((await createAuthority({ now: new Date() })).certificate);
    for (const [change, problem] of [
      [{ serialNumber: '4d' }, /another certificate/],
      [{ issuer: other }, /nobody signed it/],
      [{ nonce: Buffer.alloc(32) }, /another request/],
      [{ now: now + 11 * 60_000 }, /has run out/],
      [{ now: now - 6 * 60_000 }, /time to come/],
    ] as const) {
      assert.throws(() => readOcspAnswer(answer, { ...expectation, ...change }), problem);
    }
  });

  it('believes an answer without an end only while it is new, or made for this request', async (t) => {
    const { answer, expectation } = await exchange(t, good);
    const later = { ...expectation, now: expectation.now + 6 * 60_000 };
    assert.equal(readOcspAnswer(answer, later).status, 'good');
    assert.equal(readOcspAnswer(answer, { ...expectation, nonce: undefined }).status, 'good');
    assert.throws(() => readOcspAnswer(answer, { ...later, nonce: undefined }), /it is old/);
  });

  it('believes a responder that the authority has certified for it, and no other', async (t) => {
    const directory = await temporaryDirectory(t);
    const file = (name: string): string => join(directory, name);
    const run = (...args: readonly string[]): void => {
      const { ok, text } = openssl(args);
      assert.ok(ok, text);
    };
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    for (const name of ['ca', 'other'])
      run(
        'req',
        '-x509',
        ...curve,
        '-subj',
        '/CN=CA',
        '-days',
        '9',
        '-keyout',
        file(`${name}.key`),
        '-out',
        file(`${name}.crt`),
      );
    const issue = async (name: string, authority: string, usage: string): Promise<void> => {
      await writeFile(file('ext'), `extendedKeyUsage=${usage}`);
      run('req', '-new', ...curve, '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file('csr'));
      const signer = ['-CA', file(`${authority}.crt`), '-CAkey', file(`${authority}.key`)];
      run(
        'x509',
        '-req',
        '-in',
        file('csr'),
        ...signer,
        '-days',
        '5',
        '-extfile',
        file('ext'),
        '-out',
        file(`${name}.crt`),
      );
    };
    await issue('responder', 'ca', 'OCSPSigning');
    await issue('device', 'ca', 'clientAuth');
    await issue('stranger', 'other', 'OCSPSigning');
    const issuer = asKnown(await readFile(file('ca.crt'), 'utf8'));
    await writeFile(file('index'), 'V\t401231235959Z\t\t4D\tunknown\t/CN=pump\n');
    await writeFile(file('request'), writeOcspRequest(issuer.content, '4d', nonce));
    const now = Date.now();
    const answerOf = async (signer: string, at = now): Promise<string> => {
      const keys = ['-rsigner', file(`${signer}.crt`), '-rkey', file(`${signer}.key`), '-CA', file('ca.crt')];
      const asked = ['-index', file('index'), '-reqin', file('request'), '-respout', file('answer'), '-ndays', '9'];
      run('ocsp', ...keys, ...asked);
      return readOcspAnswer(await readFile(file('answer')), { issuer, serialNumber: '4d', nonce, now: at }).status;
    };
    assert.equal(await answerOf('responder'), 'good');
    await assert.rejects(answerOf('device'), /nobody signed it who may/);
    await assert.rejects(answerOf('stranger'), /nobody signed it who may/);
    await assert.rejects(answerOf('responder', now + 6 * 86_400_000), /nobody signed it who may/);
    await assert.rejects(answerOf('responder', now - 86_400_000), /nobody signed it who may/);
  });

  it('takes nothing for an answer that was cut off or changed', async (t) => {
    const { answer, expectation } = await exchange(t, revoked);
    const read = (der: Buffer): string => {
      try {
        return readOcspAnswer(der, expectation).status;
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
        return 'refused';
      }
    };
    for (let length = 0; length < answer.length; length++) assert.equal(read(answer.subarray(0, length)), 'refused');
    holds(
      property(integer({ min: 0, max: answer.length - 1 }), integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(answer);
        changed[at] = (answer[at] ?? 0) ^ change;
        assert.notEqual(read(changed), 'good');
      }),
      { numRuns: 500 },
    );
  });
});
