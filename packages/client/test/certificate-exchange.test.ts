import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CertificateError, ClosedError, InvalidError, loadInvitation } from '@moat/client';
import { createAuthority, issueDeviceCertificate, readCertificateRequest } from '@moat/pki';
import { temporaryDirectory } from '@moat/testkit';
import { type Exchanger, requestCertificate } from '../dist/certificate-exchange.js';
import { Subscription } from '../dist/subscription.js';

const now = new Date();
const authority = await createAuthority({ now });
const issue = (name: string) => issueDeviceCertificate(authority, { name, days: 1, now });
const { certificate, privateKey: key } = await issue('pump-7');
const ca = authority.certificate;

/** A connection whose broker answers each request so; `left` counts the subscriptions that were ended. */
function connection(answer: (request: string, subscription: Subscription) => unknown): Exchanger & { left: number } {
  let subscription: Subscription | undefined;
  const exchanger = {
    left: 0,
    async subscribe(filter: string) {
      const leave = async () => void exchanger.left++;
      subscription = new Subscription([filter], { drained() {}, leave });
      return subscription;
    },
    async publish(topic: string, request: string) {
      assert.equal(topic, '$moat/certificate/request');
      assert.ok(subscription);
      const payload = answer(request, subscription);
      if (payload === undefined) return;
      const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
      const message = { topic: '$moat/certificate/answer', payload: Buffer.from(text), qos: 1, retain: false } as const;
      assert.ok(subscription.offer({ ...message, duplicate: false, properties: {} }));
    },
  };
  return exchanger;
}

const failure = (reason: string) => (error: unknown) => error instanceof CertificateError && error.reason === reason;

test('a certificate of this name and key is taken, and the subscription left', async () => {
  const client = connection(() => ({ certificate, ca }));
  assert.deepEqual(await requestCertificate(client, 'pump-7', key), { certificate, ca });
  assert.equal(client.left, 1);
});

test('what is asked for is the name, with proof of the key', async () => {
  let asked = '';
  await requestCertificate(
    connection((request) => {
      asked = request;
      return { certificate, ca };
    }),
    'pump-7',
    key,
  );
  const request = await readCertificateRequest(asked);
  assert.equal(request.name, 'pump-7');
  assert.ok(request.publicKey.equals(createPublicKey(key)));
});

const unusable: Readonly<Record<string, unknown>> = {
  'no JSON': 'hello',
  'JSON of nothing': 'null',
  'no certificate': { ca },
  'no authority': { certificate },
  'a certificate that is none': { certificate: 'hello', ca },
  'an authority that is none': { certificate, ca: 'hello' },
  'the certificate of another key': { certificate: (await issue('pump-7')).certificate, ca },
};
for (const [title, answer] of Object.entries(unusable))
  test(`an answer with ${title} is unusable`, async () => {
    const client = connection(() => answer);
    await assert.rejects(requestCertificate(client, 'pump-7', key), failure('unusable'));
    assert.equal(client.left, 1);
  });

test('the certificate of another name is unusable', async () => {
  const client = connection(() => ({ certificate, ca }));
  await assert.rejects(requestCertificate(client, 'pump-8', key), failure('unusable'));
});

test('a refusal is told with its reason', async () => {
  const client = connection(() => ({ error: 'invite_refused', message: 'the invite is spent' }));
  await assert.rejects(requestCertificate(client, 'pump-7', key), { reason: 'invite_refused', message: /is spent/ });
});

test('no answer is told after a while; that the connection was lost, at once', async () => {
  const silent = connection(() => undefined);
  await assert.rejects(requestCertificate(silent, 'pump-7', key, 20), failure('no_answer'));
  assert.equal(silent.left, 1);
  const lost = connection((_, subscription) => subscription.end(new ClosedError('the connection was lost')));
  await assert.rejects(requestCertificate(lost, 'pump-7', key), ClosedError);
});

test('an invite is read, and what is none is refused without a word of what it holds', async (t) => {
  const file = join(await temporaryDirectory(t), 'invite.json');
  const invite = { host: 'localhost', port: 8883, ca, names: 'pump-*', token: 'abcd.secret' };
  await writeFile(file, JSON.stringify(invite));
  assert.deepEqual(await loadInvitation(file), invite);
  const { token: _, ...unproven } = invite;
  const refused = [
    '{ "token": "secret',
    'null',
    '"secret"',
    JSON.stringify({ ...invite, port: 65_536 }),
    JSON.stringify({ ...invite, port: '8883' }),
    JSON.stringify({ ...invite, host: undefined }),
    JSON.stringify(unproven),
    JSON.stringify({ ...unproven, cert: 'secret' }),
  ];
  for (const text of refused) {
    await writeFile(file, text);
    await assert.rejects(
      loadInvitation(file),
      (error: Error) =>
        error instanceof InvalidError && error.message.includes(`${file}:1:1`) && !error.message.includes('secret'),
      text,
    );
  }
  await assert.rejects(loadInvitation(`${file}.none`), /cannot read the invite: ENOENT/);
});
