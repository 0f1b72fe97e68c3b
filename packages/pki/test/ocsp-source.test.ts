import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type AuthorityStore,
  createAuthority,
  describeCertificate,
  generatePrivateKey,
  initAuthority,
  type OcspAnswer,
  OcspResponder,
  ocspSource,
  openAuthority,
  readCertificate,
  readOcspAnswer,
  writeOcspRequest,
} from '@moat/pki';
import { temporaryDirectory } from '@moat/testkit';
import { pkiError } from './helpers/codes.js';

const now = new Date();
const nonce = Buffer.alloc(16, 7);

async function newStore(t: TestContext, issuing = false): Promise<AuthorityStore> {
  const directory = join(await temporaryDirectory(t), 'pki');
  return initAuthority(directory, { hosts: ['localhost'], days: 5, now, issuing });
}

const asKnown = (pem: string) => {
  const certificate = new X509Certificate(pem);
  return { certificate, content: readCertificate(certificate.raw) };
};

/** A responder in a directory, as whoever checks a certificate asks it. */
async function responderOf(store: AuthorityStore) {
  const source = await ocspSource(store.directory, () => openAuthority(store.directory));
  const responder = new OcspResponder(source, 60_000);
  const issuer = asKnown(store.authority.certificate);
  const ask = async (serialNumber: string, at = now): Promise<OcspAnswer> =>
    readOcspAnswer(await responder.answer(writeOcspRequest(issuer.content, serialNumber, nonce), at), {
      ...{ issuer, serialNumber, nonce, now: at.getTime() },
    });
  return { responder, ask };
}

for (const issuing of [false, true])
  test(`a responder answers without the key of ${issuing ? 'an issuing' : 'the'} authority`, async (t) => {
    const store = await newStore(t, issuing);
    const { certificate } = await store.issueDevice({ name: 'pump-7', days: 1, now });
    const { serialNumber } = describeCertificate(certificate);
    await store.issueResponder({ days: 3, now });
    const { ask } = await responderOf(store);
    for (const key of ['ca.key', 'issuing.key']) await rm(join(store.directory, key), { force: true });
    assert.equal((await ask(serialNumber)).status, 'good');
    assert.equal((await ask('4d')).status, 'unknown');
    await store.revoke({ name: 'pump-7' }, { now });
    assert.equal((await ask(serialNumber, new Date(now.getTime() + 1_000))).status, 'revoked');
  });

test('a responder whose key is missing, damaged or of another certificate says that it cannot answer', async (t) => {
  const store = await newStore(t);
  await store.issueResponder({ days: 3, now });
  const key = join(store.directory, 'ocsp.key');
  const other = String((await generatePrivateKey()).export({ type: 'pkcs8', format: 'pem' }));
  for (const text of [undefined, 'hello', other]) {
    await (text === undefined ? rm(key) : writeFile(key, text));
    const { ask } = await responderOf(store);
    await assert.rejects(ask('4d'), /answers internalError/, text);
  }
});

test('a directory with a responder and no authority is refused', async (t) => {
  const store = await newStore(t);
  await store.issueResponder({ days: 3, now });
  await rm(join(store.directory, 'ca.crt'));
  await assert.rejects(responderOf(store), pkiError('pki.not_found', /no ca\.crt/));
});

test('what is no request, or asks nothing, gets malformedRequest; of another authority nothing is known', async (t) => {
  const store = await newStore(t);
  const { responder } = await responderOf(store);
  const malformed = '30030a0101';
  for (const request of [Buffer.alloc(0), Buffer.from('hello'), Buffer.from('300430023000', 'hex')])
    assert.equal((await responder.answer(request, now)).toString('hex'), malformed);
  const other = asKnown((await createAuthority({ now })).certificate);
  const answer = await responder.answer(writeOcspRequest(other.content, '4d', nonce), now);
  const issuer = asKnown(store.authority.certificate);
  assert.throws(
    () => readOcspAnswer(answer, { issuer, serialNumber: '4d', nonce, now: now.getTime() }),
    /about another certificate/,
  );
});
