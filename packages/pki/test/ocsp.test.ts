import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
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
