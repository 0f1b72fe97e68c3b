import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  DeviceDesk,
  describeCertificate,
  generatePrivateKey,
  Invites,
  type InviteTerms,
  initAuthority,
  isKeyOf,
  writeCertificateRequest,
} from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { runModule } from './helpers/child.js';
import { pkiError } from './helpers/codes.js';
import { certificateText, openssl } from './helpers/openssl.js';

const now = new Date();
const later = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000);
const free = (): boolean => false;
const one: InviteTerms = { names: 'pump-7', count: 1, expires: later(24), days: 30 };

async function newDesk(t: TestContext): Promise<DeviceDesk> {
  return new DeviceDesk(
    await initAuthority(join(await temporaryDirectory(t), 'pki'), { hosts: ['localhost'], days: 1, now }),
  );
}

async function requestFor(name: string): Promise<Buffer> {
  return Buffer.from(writeCertificateRequest(name, await generatePrivateKey()));
}

function verify(desk: DeviceDesk, certificate: string, at = now): ReturnType<typeof openssl> {
  const [ca, crl] = ['ca.crt', 'ca.crl'].map((file) => join(desk.store.directory, file)) as [string, string];
  const args = ['verify', '-x509_strict', '-purpose', 'sslclient', '-crl_check', '-CRLfile', crl, '-CAfile', ca];
  return openssl([...args, '-attime', `${Math.ceil(at.getTime() / 1000)}`], certificate);
}

test('openssl finds our certificate requests good, and what they ask for', needs('openssl'), async () => {
  for (const algorithm of ['p256', 'ed25519'] as const) {
    const request = writeCertificateRequest('pümp 7', await generatePrivateKey(algorithm));
    const { ok, text } = openssl(['req', '-verify', '-noout', '-subject', '-nameopt', 'utf8'], request);
    assert.ok(ok, text);
    assert.match(text, /verify OK/);
    assert.match(text, /CN ?= ?pümp 7/);
  }
});

test('a device renews its certificate, for as long as it was issued for, with the key it brings', async (t) => {
  const desk = await newDesk(t);
  const first = await desk.store.issueDevice({ name: 'pump-7', days: 0.5, now });
  const key = await generatePrivateKey();
  const { fingerprint } = describeCertificate(first.certificate);
  const request = Buffer.from(writeCertificateRequest('pump-7', key));
  const { certificate, name } = await desk.renew(fingerprint, request, later(8));
  assert.equal(name, 'pump-7');
  assert.ok(isKeyOf(certificate, key));
  const life = describeCertificate(certificate);
  assert.equal(Math.round((life.notAfter.getTime() - later(8).getTime()) / 60_000), 12 * 60);
  assert.ok(verify(desk, certificate, later(8)).ok);
});

test('only a valid certificate of the device itself is renewed', async (t) => {
  const desk = await newDesk(t);
  const { store } = desk;
  const pump = describeCertificate((await store.issueDevice({ name: 'pump-7', days: 1, now })).certificate).fingerprint;
  const renew = (fingerprint: string, name: string, at = now) =>
    requestFor(name).then((request) => desk.renew(fingerprint, request, at));
  await store.issueDevice({ name: 'pump-8', days: 1, now });
  const server = (await store.listIssued())[0]?.fingerprint ?? '';
  const claim = describeCertificate((await store.issueClaim({ id: 'ab', days: 1, now })).certificate).fingerprint;
  await assert.rejects(renew(pump, 'pump-8'), pkiError('pki.name_refused', /"pump-8", not "pump-7"/));
  await assert.rejects(renew(server, 'localhost'), pkiError('pki.unknown_certificate'));
  await assert.rejects(renew(claim, '$claim:ab'), pkiError('pki.unknown_certificate'));
  await assert.rejects(renew('', 'pump-7'), pkiError('pki.unknown_certificate'));
  await assert.rejects(renew(pump, 'pump-7', later(25)), pkiError('pki.unknown_certificate'));
  await renew(pump, 'pump-7');
  await store.revoke({ name: 'pump-7' }, { now });
  await assert.rejects(renew(pump, 'pump-7'), pkiError('pki.unknown_certificate'));
});

test('nothing that a request asks for besides its name is granted', needs('openssl'), async (t) => {
  const desk = await newDesk(t);
  const { token, invite } = await desk.invites.withToken(one);
  assert.equal((await desk.invites.ofToken(token))?.id, invite.id);
  const directory = await temporaryDirectory(t);
  const wishes = ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign,cRLSign', 'extendedKeyUsage=serverAuth'];
  const names = ['subjectAltName=DNS:broker.example,URI:urn:moat:device:admin,email:root@example.com'];
  const asked = [...wishes, ...names].flatMap((extension) => ['-addext', extension]);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(directory, 'key')];
  const made = openssl([
    'req',
    '-new',
    ...key,
    '-subj',
    '/O=Plant/CN=pump-7',
    ...asked,
    '-out',
    join(directory, 'csr'),
  ]);
  assert.ok(made.ok, made.text);
  const request = await readFile(join(directory, 'csr'));
  const { certificate } = await desk.enrol(invite.id, request, now, free);
  assert.ok(verify(desk, certificate).ok);
  const text = certificateText(certificate);
  assert.match(text, /Subject: CN ?= ?pump-7 /);
  assert.match(text, /CA:FALSE/);
  assert.match(
    text,
    /X509v3 Key Usage: critical Digital Signature X509v3 Extended Key Usage: TLS Web Client Authentication/,
  );
  assert.match(text, /Alternative Name: URI:urn:moat:device:pump-7 X509v3/);
});

test('a token is kept as its hash, and any other is refused', async (t) => {
  const desk = await newDesk(t);
  const { token, invite } = await desk.invites.withToken(one);
  const [, secret = ''] = token.split('.');
  const log = await readFile(join(desk.store.directory, 'invites.jsonl'), 'utf8');
  assert.ok(secret.length >= 43 && !log.includes(secret));
  for (const wrong of [
    '',
    invite.id,
    `${invite.id}.`,
    `${invite.id}.${secret}x`,
    `0000.${secret}`,
    `${token}.x`.slice(3),
  ])
    assert.equal(await desk.invites.ofToken(wrong), undefined, wrong);
});

test('an invite is for its names, until it ends, is spent or withdrawn', async (t) => {
  const desk = await newDesk(t);
  const { invites } = desk;
  const enrol = async (id: string, name: string, at = now) => desk.enrol(id, await requestFor(name), at, free);
  const single = (await invites.withToken(one)).invite.id;
  await assert.rejects(enrol(single, 'pump-8'), pkiError('pki.name_refused'));
  await assert.rejects(enrol(single, 'pump-7', later(24)), pkiError('pki.invite_refused', /ran out/));
  await enrol(single, 'pump-7');
  await assert.rejects(enrol(single, 'pump-7'), pkiError('pki.invite_refused', /spent/));

  const series = (await invites.withToken({ ...one, names: 'pump-*', count: 2 })).invite.id;
  await assert.rejects(enrol(series, 'pump-7'), pkiError('pki.name_taken'));
  await assert.rejects(enrol(series, 'pump-'), pkiError('pki.name_refused'));
  await assert.rejects(enrol(series, 'valve-1'), pkiError('pki.name_refused'));
  await assert.rejects(enrol(series, 'pump-1/#'), pkiError('pki.invalid_name'));
  await enrol(series, 'pump-1');
  await enrol(series, 'pump-2');
  await assert.rejects(enrol(series, 'pump-3'), pkiError('pki.invite_refused', /spent/));

  const gone = (await invites.withToken({ ...one, names: 'valve-1' })).invite.id;
  await invites.withdraw(gone, now);
  await assert.rejects(enrol(gone, 'valve-1'), pkiError('pki.invite_refused', /withdrawn/));
  await assert.rejects(enrol('ffff', 'valve-1'), pkiError('pki.invite_refused', /not known/));
});

test('invites are listed with what became of them, and found by their claim certificates', async (t) => {
  const { invites } = await newDesk(t);
  assert.deepEqual(await invites.list(), []);
  await assert.rejects(invites.withdraw('ffff', now), pkiError('pki.invite_refused', /not known/));
  const certificate = 'c'.repeat(64);
  await invites.add('ab', { ...one, names: 'pump-*', count: 2 }, { certificate });
  const { id } = (await invites.withToken(one)).invite;
  await invites.withdraw(id, now);
  await invites.spend({ id: 'ab', name: 'pump-1', key: 'aa', at: now });
  assert.deepEqual(
    (await invites.list()).map(({ id, spent, withdrawn }) => [id, [...spent.keys()], withdrawn]),
    [
      ['ab', ['pump-1'], false],
      [id, [], true],
    ],
  );
  assert.equal((await invites.ofCertificate(certificate))?.id, 'ab');
  assert.equal(await invites.ofCertificate('d'.repeat(64)), undefined);
});

test('a device of a series gets its spending again by the same key, and none by another', async (t) => {
  const { invites } = await newDesk(t);
  const { id } = (await invites.withToken({ ...one, names: 'pump-*', count: 3 })).invite;
  const first = await invites.spend({ id, name: 'pump-1', key: 'aa', at: now });
  assert.deepEqual(await invites.spend({ id, name: 'pump-1', key: 'aa', at: later(1) }), first);
  await assert.rejects(
    invites.spend({ id, name: 'pump-1', key: 'bb', at: now }),
    pkiError('pki.invite_refused', /pump-1 with another key/),
  );
  assert.equal((await invites.list())[0]?.spent.size, 1);
});

test('no pattern is good for the name of a user, nor for a device that was revoked', async (t) => {
  const desk = await newDesk(t);
  const { id } = (await desk.invites.withToken({ ...one, names: 'a*', count: 9 })).invite;
  await assert.rejects(
    desk.enrol(id, await requestFor('admin'), now, (name) => name === 'admin'),
    pkiError('pki.name_taken'),
  );
  await desk.store.issueDevice({ name: 'arm-1', days: 1, now });
  await desk.store.revoke({ name: 'arm-1' }, { now });
  await assert.rejects(desk.enrol(id, await requestFor('arm-1'), now, free), pkiError('pki.name_taken'));
  for (const names of ['*', '*-1', 'a*b*', 'a/*'])
    await assert.rejects(desk.invites.withToken({ ...one, names }), pkiError('pki.invalid_name'), names);
  await assert.rejects(desk.invites.withToken({ ...one, count: 2 }), pkiError('pki.invalid_name'));
});

test('who lost the answer gets it by the same key, unless it was revoked since', async (t) => {
  const desk = await newDesk(t);
  const { id } = (await desk.invites.withToken(one)).invite;
  const request = await requestFor('pump-7');
  await desk.enrol(id, request, now, free);
  const { certificate } = await desk.enrol(id, request, later(1), free);
  assert.ok(verify(desk, certificate, later(1)).ok);
  await assert.rejects(
    desk.enrol(id, await requestFor('pump-7'), later(1), free),
    pkiError('pki.invite_refused', /spent/),
  );
  await desk.store.revoke({ name: 'pump-7' }, { now });
  await assert.rejects(desk.enrol(id, request, later(2), free), pkiError('pki.unknown_certificate', /revoked/));
});

/** Enrols with so many keys at once; prints how many got a certificate. */
const racer = `
  const { DeviceDesk, openAuthority, generatePrivateKey, writeCertificateRequest } = await import('@moat/pki');
  const [, directory, id, count] = process.argv;
  const desk = new DeviceDesk(await openAuthority(directory));
  const requests = await Promise.all(Array.from({ length: Number(count) }, async () =>
    Buffer.from(writeCertificateRequest('pump-7', await generatePrivateKey()))));
  const all = await Promise.allSettled(requests.map((request) => desk.enrol(id, request, new Date(), () => false)));
  console.log(all.filter(({ status }) => status === 'fulfilled').length);`;

test('of fifty that spend one token at once, in several processes, one wins', async (t) => {
  const desk = await newDesk(t);
  const { id } = (await desk.invites.withToken(one)).invite;
  const won = await Promise.all([1, 2, 3, 4, 5].map(() => runModule(racer, desk.store.directory, id, '10')));
  assert.equal(
    won.map(Number).reduce((sum, wins) => sum + wins),
    1,
  );
  const devices = (await desk.store.listIssued()).filter(({ kind }) => kind === 'device');
  assert.equal(devices.length, 1);
});

test('killed at any moment, a token stays spent by the key that spent it, and that one alone goes on', async (t) => {
  const desk = await newDesk(t);
  const { id } = (await desk.invites.withToken(one)).invite;
  const directory = desk.store.directory;
  // Ends the process, as a kill would, when the spending is on the disk and nothing was issued yet.
  const dying = `
    const { DeviceDesk, openAuthority, generatePrivateKey, writeCertificateRequest } = await import('@moat/pki');
    const [, directory, id] = process.argv;
    const desk = new DeviceDesk(await openAuthority(directory));
    const key = await generatePrivateKey();
    console.log(key.export({ type: 'pkcs8', format: 'pem' }));
    const { store } = desk;
    store.certifyDevice = () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); };
    await desk.enrol(id, Buffer.from(writeCertificateRequest('pump-7', key)), new Date(), () => false);`;
  const pem = await runModule(dying, directory, id).catch((error: Error & { output?: string }) => error.output ?? '');
  const other = new DeviceDesk(desk.store);
  await assert.rejects(
    other.enrol(id, await requestFor('pump-7'), new Date(), free),
    pkiError('pki.invite_refused', /spent/),
  );
  const same = Buffer.from(writeCertificateRequest('pump-7', createPrivateKey(pem)));
  const { certificate } = await other.enrol(id, same, new Date(), free);
  assert.ok(verify(desk, certificate, new Date()).ok);
});

test('a damaged log of invites lets nobody in', async (t) => {
  const desk = await newDesk(t);
  const { token } = await desk.invites.withToken(one);
  const log = join(desk.store.directory, 'invites.jsonl');
  const good = await readFile(log, 'utf8');
  const damaged = [
    '{"invite":{"id":"ab"}}',
    'null',
    '{}',
    '{"withdrawn":{"id":"ab"}}',
    `{"withdrawn":{"id":"AB","at":"${now.toISOString()}"}}`,
    '{"spent":{"id":"ab","name":"pump-7","key":"cd","at":"yesterday"}}',
    good.trim().replace(/"token":"..../, '"token":"'),
    good.trim().replace(/"count":1/, '"count":1.5'),
    good.trim().replace(/"expires":"/, '"expires":"x'),
  ];
  for (const line of damaged) {
    assert.notEqual(line, good.trim());
    await writeFile(log, `${good}${line}\n`);
    const reading = new Invites(desk.store.directory).ofToken(token);
    await assert.rejects(reading, pkiError('pki.invalid_file', /invites\.jsonl:2:1/), line);
  }
});
