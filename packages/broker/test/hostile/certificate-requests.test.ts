import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DeviceDesk, describeCertificate, generatePrivateKey, newInviteId, writeCertificateRequest } from '@moat/pki';
import { needs, waitFor } from '@moat/testkit';
import type { IClientOptions } from 'mqtt';
import { portOf, startBroker } from '../support/broker.js';
import { type ClientIdentity, strangerNamed, TestAuthority } from '../support/certificates.js';
import { MqttJs } from '../support/mqtt-js.js';
import { recordingLog } from '../support/recording-log.js';

/*
 * Devices that ask for more than they may have, over connections that prove who they are. The policy allows everything
 * that it can, so that what is refused is refused by the topics themselves.
 */
const [request, answer] = ['$moat/certificate/request', '$moat/certificate/answer'] as const;
const scratch = await mkdtemp(join(tmpdir(), 'moat-requests-'));
const authority = await TestAuthority.create(scratch);
const desk = new DeviceDesk(authority.store);
const { events, log } = recordingLog(({ event, reason }) => `${event} ${reason}`);
const pki = (file: string): string => join(scratch, 'pki', file);
const { broker, stop } = await startBroker(
  {
    listeners: [
      {
        ...{ protocol: 'mqtts', bind: '127.0.0.1', port: 0, use_identity_as_username: 'cn' },
        ...{ certfile: pki('server.crt'), keyfile: pki('server.key'), cafile: pki('ca.crt'), crlfile: pki('ca.crl') },
      },
      { protocol: 'mqtt', port: 0 },
    ],
    authentication: { allow_anonymous: true, clientid_prefixes: ['pump-'] },
    limits: { profile: 'off' },
  },
  { log, authority: authority.store },
);
after(async () => {
  await stop();
  await rm(scratch, { recursive: true });
});
const secure = `mqtts://127.0.0.1:${portOf(broker, 'mqtts')}`;
const plain = `mqtt://127.0.0.1:${portOf(broker, 'mqtt')}`;

async function connected(options: IClientOptions, url = secure): Promise<MqttJs> {
  const client = await MqttJs.connect(url, { ca: authority.ca, protocolVersion: 5, clientId: 'pump-x', ...options });
  after(() => client.end());
  return client;
}

const as = (identity: ClientIdentity, clientId: string) => connected({ ...identity, clientId });
const invited = (token: string) => connected({ username: '$enrol', password: token });

interface Answer {
  readonly certificate?: string;
  readonly error?: string;
}

async function ask({ client }: MqttJs, payload: string | Buffer): Promise<number> {
  const packet = await client.publishAsync(request, payload, { qos: 1 }).then(
    (ack) => ack as { reasonCode?: number } | undefined,
    (error: { code?: number }) => ({ reasonCode: error.code ?? -1 }),
  );
  return packet?.reasonCode ?? 0;
}

async function exchange(client: MqttJs, payload: string | Buffer): Promise<Answer> {
  await client.client.subscribeAsync(answer);
  assert.equal(await ask(client, payload), 0);
  const [message] = await client.next(1);
  return JSON.parse(message?.payload ?? '');
}

const csr = async (name: string) => writeCertificateRequest(name, await generatePrivateKey());
const tokenFor = async (names: string, count = 1) =>
  (await desk.invites.withToken({ names, count, days: 1, expires: new Date(Date.now() + 3_600_000) })).token;

describe('a device that renews its certificate', () => {
  it('gets the next one, by MQTT 3.1.1 as well', async () => {
    const client = await connected({ ...(await authority.device('pump-1')), clientId: 'pump-1', protocolVersion: 4 });
    const { certificate = '' } = await exchange(client, await csr('pump-1'));
    assert.equal(describeCertificate(certificate).commonName, 'pump-1');
    const { fingerprint } = describeCertificate(certificate);
    assert.ok((await authority.store.listIssued()).some((one) => one.fingerprint === fingerprint));
  });

  it('is told why it gets none, and the operator is told', async () => {
    const client = await as(await authority.device('pump-2'), 'pump-2');
    const good = await csr('pump-2');
    const forged = Buffer.from(good.replace(/-----.*-----|\s/g, ''), 'base64');
    forged[forged.length - 3] = (forged[forged.length - 3] ?? 0) ^ 1;
    const cases: [string | Buffer, string][] = [
      [await csr('pump-1'), 'pki.name_refused'],
      [await csr('admin'), 'pki.name_refused'],
      [await csr('pump-2\0'), 'pki.name_refused'],
      [forged, 'pki.invalid_request'],
      ['', 'pki.invalid_request'],
      ['x'.repeat(1_000_000), 'pki.invalid_request'],
      [Buffer.alloc(16_000, 0x30), 'pki.invalid_request'],
      [Buffer.from('3080'.repeat(4_000), 'hex'), 'pki.invalid_request'],
    ];
    for (const [payload, error] of cases) assert.equal((await exchange(client, payload)).error, error);
    assert.ok(events.some((event) => event.startsWith('cert.request_refused') && /pump-1/.test(event)));
    assert.ok((await exchange(client, good)).certificate);
  });

  it('gets none by a request of another device, even one that was granted there', async () => {
    const [one, other] = [
      await as(await authority.device('pump-3'), 'pump-3'),
      await as(await authority.device('pump-4'), 'pump-4'),
    ];
    const replayed = await csr('pump-3');
    assert.ok((await exchange(one, replayed)).certificate);
    assert.equal((await exchange(other, replayed)).error, 'pki.name_refused');
  });

  it('gets none with a weak key', needs('openssl'), async () => {
    const { spawnSync } = await import('node:child_process');
    const args = ['req', '-new', '-newkey', 'rsa:1024', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=pump-5'];
    const { stdout } = spawnSync('openssl', args, { encoding: 'utf8' });
    const client = await as(await authority.device('pump-5'), 'pump-5');
    assert.equal((await exchange(client, stdout)).error, 'pki.unsupported_key');
  });

  it('does not see what another gets, nor can it answer', async () => {
    const [one, other] = [
      await as(await authority.device('pump-6'), 'pump-6'),
      await as(await authority.device('pump-7'), 'pump-7'),
    ];
    for (const filter of ['$moat/#', '$moat/certificate/+', request, `$share/g/${answer}`, '$share/g/$moat/#', '$moat'])
      await assert.rejects(other.client.subscribeAsync(filter, { qos: 1 }), filter);
    await other.client.subscribeAsync([answer, '#'], { qos: 1 });
    assert.ok((await exchange(one, await csr('pump-6'))).certificate);
    for (const topic of [answer, '$moat/other', '$moat'])
      await assert.rejects(one.client.publishAsync(topic, '{}', { qos: 1 }), { code: 0x87 }, topic);
    await other.client.publishAsync('after', '', { qos: 1 });
    assert.deepEqual(
      (await other.next(1)).map(({ topic }) => topic),
      ['after'],
    );
  });

  it('cannot leave a request behind as its will, or ask twice in one breath', async () => {
    const identity = await authority.device('pump-8');
    const will = { topic: request, payload: Buffer.from('x'), qos: 1 as const, retain: true };
    await assert.rejects(connected({ ...identity, clientId: 'pump-8', will }));
    const client = await as(identity, 'pump-8');
    const codes = await Promise.all([await csr('pump-8'), await csr('pump-8')].map((one) => ask(client, one)));
    assert.deepEqual(codes, [0, 0x97]);
    await assert.rejects(client.client.publishAsync(request, await csr('pump-8'), { qos: 2 }), { code: 0x83 });
  });

  it('of another authority, or without a certificate, may not ask at all', async () => {
    const anonymous = await connected({}, plain);
    assert.equal(await ask(anonymous, await csr('pump-1')), 0x87);
    await assert.rejects(anonymous.client.subscribeAsync(answer, { qos: 1 }));
    await assert.rejects(as(await strangerNamed('pump-1'), 'pump-1'));
  });

  it('gets none once it is revoked, however fast it asks', async () => {
    const client = await as(await authority.device('pump-9'), 'pump-9');
    await authority.revoke('pump-9');
    // The broker's list is not read again yet: the issue log is what counts.
    const outcome = await exchange(client, await csr('pump-9')).catch(() => ({ error: 'closed' }));
    assert.ok(outcome.error === 'pki.unknown_certificate' || outcome.error === 'closed');
  });
});

describe('the bearer of an invite', () => {
  it('gets a certificate, and can do nothing else', async () => {
    const client = await invited(await tokenFor('pump-20'));
    for (const filter of ['#', 'devices/pump-20/#', '$SYS/#', '$moat/#', '$share/g/a'])
      await assert.rejects(client.client.subscribeAsync(filter, { qos: 1 }), filter);
    for (const topic of ['devices/pump-20/x', 'a', answer, '$moat/x'])
      await assert.rejects(client.client.publishAsync(topic, '', { qos: 1 }), { code: 0x87 }, topic);
    const { certificate = '' } = await exchange(client, await csr('pump-20'));
    assert.equal(describeCertificate(certificate).commonName, 'pump-20');
    assert.equal((await exchange(client, await csr('pump-20'))).error, 'pki.invite_refused');
    assert.equal((await exchange(client, await csr('pump-21'))).error, 'pki.name_refused');
  });

  it('is nobody whose session or client ID could be taken', async () => {
    const holder = await as(await authority.device('pump-22'), 'pump-22');
    const password = await tokenFor('pump-23');
    await connected({ username: '$enrol', password, clientId: 'pump-22', clean: false });
    await holder.client.publishAsync('still/here', '', { qos: 1 });
    const will = { topic: request, payload: Buffer.from('x'), qos: 0 as const, retain: false };
    await assert.rejects(connected({ username: '$enrol', password, will }));
  });

  it('must prove it, through TLS', async () => {
    const token = await tokenFor('pump-24');
    const altered = token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA');
    for (const wrong of ['', altered, `${newInviteId()}.${token.split('.')[1]}`])
      await assert.rejects(invited(wrong), { code: 0x87 });
    await assert.rejects(connected({ username: '$enrol', password: token }, plain), { code: 0x87 });
    await waitFor(() => events.some((event) => event.startsWith('auth.failed tls_required')));
    assert.ok(events.some((event) => event.startsWith('auth.failed bad_token')));
    await invited(token);
    const [, secret = ''] = token.split('.');
    assert.ok(!events.some((event) => event.includes(secret)), 'no token is logged');
  });

  it('wins once, of fifty at once', async () => {
    const token = await tokenFor('pump-25');
    const clients = await Promise.all(Array.from({ length: 50 }, () => invited(token)));
    const answers = await Promise.all(clients.map(async (client) => exchange(client, await csr('pump-25'))));
    assert.equal(answers.filter(({ certificate }) => certificate !== undefined).length, 1);
    assert.equal(answers.filter(({ error }) => error === 'pki.invite_refused').length, 49);
  });

  it('may be many with one claim certificate, which proves nothing else', async () => {
    const [id, now] = [newInviteId(), new Date()];
    const { certificate: cert, privateKey } = await authority.store.issueClaim({ id, days: 1, now });
    const claim = { cert, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
    const { fingerprint } = describeCertificate(cert);
    await assert.rejects(connected(claim), 'before there is an invite it is nobody');
    const terms = { names: 'pump-3*', count: 2, days: 1, expires: new Date(Date.now() + 3_600_000) };
    await desk.invites.add(id, terms, { certificate: fingerprint });
    const got: (string | undefined)[] = [];
    for (const name of ['pump-30', 'pump-30', 'pump-31', 'pump-32', 'pump-20']) {
      const client = await connected(claim);
      await assert.rejects(client.client.publishAsync('a', '', { qos: 1 }), { code: 0x87 });
      got.push((await exchange(client, await csr(name))).error);
      await client.end();
    }
    assert.deepEqual(got, [undefined, 'pki.invite_refused', undefined, 'pki.invite_refused', 'pki.name_refused']);
    await desk.invites.withdraw(id, now);
    await assert.rejects(connected(claim), { code: 0x87 });
  });

  it('leaves its secret in no file', async () => {
    const token = await tokenFor('pump-40');
    for (const file of ['invites.jsonl', 'issued.jsonl'])
      assert.ok(!(await readFile(pki(file), 'utf8')).includes(token.split('.')[1] ?? ''));
  });
});

describe('where devices are not to renew by themselves', () => {
  it('they are told so, whatever certificate they have', async () => {
    const listener = { protocol: 'mqtts' as const, bind: '127.0.0.1', port: 0, use_identity_as_username: 'cn' };
    const files = { certfile: pki('server.crt'), keyfile: pki('server.key'), cafile: pki('ca.crt') };
    const authentication = { certificate_renewal: false };
    const strict = await startBroker(
      { listeners: [{ ...listener, ...files }], authentication },
      { authority: authority.store },
    );
    after(() => strict.stop());
    const url = `mqtts://127.0.0.1:${strict.port}`;
    const client = await connected({ ...(await authority.device('pump-60')), clientId: 'pump-60' }, url);
    assert.equal((await exchange(client, await csr('pump-60'))).error, 'pki.unknown_certificate');
  });
});

describe('requests beyond the limits', () => {
  it('are refused with 0x97: so many of one device, so many in all', async () => {
    const limits = { certificate_requests_per_client: 2, certificate_requests_per_minute: 3 };
    const listener = { protocol: 'mqtts' as const, bind: '127.0.0.1', port: 0, use_identity_as_username: 'cn' };
    const files = { certfile: pki('server.crt'), keyfile: pki('server.key'), cafile: pki('ca.crt') };
    const bounded = await startBroker(
      { listeners: [{ ...listener, ...files }], limits },
      { authority: authority.store },
    );
    after(() => bounded.stop());
    const url = `mqtts://127.0.0.1:${bounded.port}`;
    const codes: number[] = [];
    for (const name of ['pump-50', 'pump-51']) {
      const client = await connected({ ...(await authority.device(name)), clientId: name }, url);
      await client.client.subscribeAsync(answer);
      for (const _ of [1, 2, 3]) {
        const code = await ask(client, await csr(name));
        codes.push(code);
        if (code === 0) await client.next(1); // not while the one before is worked on
      }
    }
    assert.deepEqual(codes, [0, 0, 0x97, 0, 0x97, 0x97]);
  });
});
