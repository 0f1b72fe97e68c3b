import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, enrol, loadConnection, loadInvitation, renewInto } from '@moat/client';
import { describeCertificate, generatePrivateKey, initAuthority, openAuthority, writeDeviceBundle } from '@moat/pki';
import { needs, run, waitFor } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { type Result, moat as runMoat } from './helpers/moat.js';

const listeners = `listeners:
  - { protocol: mqtts, bind: 127.0.0.1, port: 0, use_identity_as_username: cn, crlfile: pki/ca.crl }
  - { protocol: wss, bind: 127.0.0.1, port: 0, use_identity_as_username: cn, crlfile: pki/ca.crl }
`;

const cwd = await temporaryDirectory();
const field = await temporaryDirectory();

describe('devices that look after their certificate by themselves', () => {
  let broker: RunningBroker;
  let port: number;
  const moat = (...args: string[]): Promise<Result> => runMoat(['device', ...args], { cwd });
  /** As the device: without the data directory. */
  const device = (...args: string[]): Promise<Result> => runMoat(args, { cwd: field });
  const folder = (name: string) => join(field, name, 'connection.json');

  before(async () => {
    await runMoat(['init', '--host', 'localhost'], { cwd });
    broker = await RunningBroker.start(cwd, listeners);
    port = await broker.port('mqtts');
  });
  after(() => broker.stop());

  async function invite(names: string, ...more: string[]): Promise<string> {
    const out = join(field, `${names.replace('*', 'x')}.invite`);
    const { code, stderr } = await moat('invite', names, '--port', String(port), '--out', out, ...more);
    assert.equal(code, 0, stderr);
    return out;
  }

  async function enrolled(name: string, ...more: string[]): Promise<void> {
    const { code, stderr } = await device('device', 'enroll', await invite(name, ...more));
    assert.equal(code, 0, stderr);
  }

  test('an invite gives a device its certificate, once, and openssl finds it good', needs('openssl'), async () => {
    const file = await invite('pump-1', '--hours', '2');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const first = await device('device', 'enroll', file);
    assert.equal(first.code, 0, first.stderr);
    const published = await device(
      'pub',
      '--connection',
      'pump-1/connection.json',
      '-t',
      'devices/pump-1/a',
      '-m',
      'x',
      '-q',
      '1',
    );
    assert.equal(published.code, 0, published.stderr);
    const { ca, token = '' } = await loadInvitation(file);
    assert.equal(await readFile(join(field, 'pump-1/ca.crt'), 'utf8'), ca);
    const verified = await run('openssl', ['verify', '-purpose', 'sslclient', '-CAfile', 'ca.crt', 'client.crt'], {
      cwd: join(field, 'pump-1'),
    });
    assert.equal(verified.code, 0, String(verified.stderr));
    const second = await device('device', 'enroll', file, '--out', 'again');
    assert.deepEqual([second.code, second.stderr], [1, 'moat: the invite is spent\n']);
    const { stdout } = await moat('invites', '--json');
    const [listed] = JSON.parse(stdout);
    assert.deepEqual([listed.state, listed.devices], ['spent', ['pump-1']]);
    const secret = token.split('.')[1] ?? '';
    for (const text of [stdout, JSON.stringify(broker.log), first.stdout, second.stderr])
      assert.ok(!text.includes(secret));
  });

  test('a series enrols with one claim certificate, until it is withdrawn', async () => {
    const file = await invite('valve-*', '--count', '3', '--claim');
    assert.equal((await device('device', 'enroll', file)).code, 2);
    for (const name of ['valve-1', 'valve-2'])
      assert.equal((await device('device', 'enroll', file, '--name', name)).code, 0, name);
    const { cert = '' } = await loadInvitation(file);
    const id = describeCertificate(cert).commonName?.replace('$claim:', '') ?? '';
    assert.equal((await moat('withdraw', id)).code, 0);
    const { code, stderr } = await device('device', 'enroll', file, '--name', 'valve-3');
    assert.equal(code, 3, stderr);
  });

  test('a file that is there is kept, and no invite is made; one that is withdrawn is shown so', async () => {
    const file = await invite('fan-*', '--count', '2');
    const { token } = JSON.parse(await readFile(file, 'utf8'));
    const list = async () => (await moat('invites')).stdout;
    const before = await list();
    const again = await moat('invite', 'fan-*', '--out', file);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^moat: cannot write the invite: .*fan-x\.invite.*choose another with --out\)\n$/);
    assert.equal(JSON.parse(await readFile(file, 'utf8')).token, token);
    assert.equal(await list(), before);
    const [, id = ''] = /^([0-9a-f]{16}) +fan-\* +token +open +0\/2 +\d{4}-\d\d-\d\dT\d\d:\d\d$/m.exec(before) ?? [];
    assert.equal((await moat('withdraw', id)).code, 0);
    assert.match(await list(), new RegExp(`^${id} .* withdrawn +0/2 `, 'm'));
  });

  test('whoever stands in between with another authority learns nothing', async () => {
    const file = await invite('pump-2');
    const invitation = JSON.parse(await readFile(file, 'utf8'));
    const other = await temporaryDirectory();
    await initAuthority(join(other, 'moat-data/pki'), { hosts: ['localhost'], days: 1, now: new Date() });
    const impostor = await RunningBroker.start(other, listeners);
    try {
      const misled = { ...invitation, port: await impostor.port('mqtts') };
      await writeFile(file, JSON.stringify(misled));
      const { code, stderr } = await device('device', 'enroll', file);
      assert.equal(code, 3);
      assert.match(stderr, /not issued by a trusted authority/);
      assert.ok(!impostor.log.some((line) => JSON.stringify(line).includes('$enrol')), 'no CONNECT was sent');
    } finally {
      await impostor.stop();
    }
    await writeFile(file, JSON.stringify(invitation));
    assert.equal((await device('device', 'enroll', file)).code, 0, 'the token is as good as before');
  });

  test('a device renews over MQTT, with its key or a new one, and its folder works before and after', async () => {
    await enrolled('pump-3');
    const before = await loadConnection(folder('pump-3'));
    assert.equal((await device('device', 'renew', 'pump-3', '--over-mqtt')).code, 0);
    const kept = await loadConnection(folder('pump-3'));
    assert.equal(kept.key, before.key);
    assert.notEqual(kept.cert, before.cert);
    assert.equal((await device('device', 'renew', 'pump-3', '--over-mqtt', '--new-key')).code, 0);
    const next = await loadConnection(folder('pump-3'));
    assert.notEqual(next.key, before.key);
    const client = await connect({ ...next, reconnect: false });
    await client.close();
    const history = JSON.parse((await moat('show', 'pump-3', '--json')).stdout);
    assert.equal(history.certificates.length, 3);
  });

  /** A device whose certificate has half an hour left of three. */
  async function aged(name: string): Promise<string> {
    const store = await openAuthority(join(cwd, 'moat-data/pki'));
    const issuedAt = new Date(Date.now() - 1.5 * 3_600_000);
    const issued = await store.issueDevice({ name, days: 2 / 24, now: issuedAt });
    const place = { host: 'localhost', port, caCertificate: store.trusted };
    await writeDeviceBundle(join(field, name), { ...issued, name, ...place });
    return describeCertificate(issued.certificate).serialNumber;
  }

  for (const protocol of ['mqtts', 'wss'] as const) {
    test(`over ${protocol} a client renews by itself when it is due, and shows the new certificate from then on`, async () => {
      const name = `pump-4-${protocol}`;
      const serialNumber = await aged(name);
      const before = { ...(await loadConnection(folder(name))), protocol, port: await broker.port(protocol) };
      const client = await connect({
        ...before,
        renewal: renewInto(folder(name), true),
        reconnect: { minimum: 10, maximum: 50 },
      });
      after(() => client.close());
      const [identity] = await once(client, 'renewed');
      assert.equal((await loadConnection(folder(name))).key, identity.key);
      assert.notEqual(identity.key, before.key);
      const again = once(client, 'connected');
      assert.equal((await runMoat(['clients', 'disconnect', name], { cwd })).code, 0);
      await again;
      const store = await openAuthority(join(cwd, 'moat-data/pki'));
      await store.revoke({ serialNumber }, { now: new Date() });
      const isRefused = () =>
        connect({ ...before, clientId: `${name}:x`, reconnect: false }).then(
          (other) => other.close().then(() => false),
          () => true,
        );
      await waitFor(isRefused);
      await client.publish(`devices/${name}/still`, 'here', { qos: 1 });
    });
  }

  test('a revoked device gets nothing, and is told so', async () => {
    await enrolled('pump-5');
    await moat('revoke', 'pump-5');
    const { code, stderr } = await device('device', 'renew', 'pump-5', '--over-mqtt');
    assert.equal(code, 3, stderr);
  });

  test('pub --renew renews what is due, and leaves what is not', async () => {
    await aged('pump-6');
    const cert = () => readFile(join(field, 'pump-6/client.crt'), 'utf8');
    const before = await cert();
    const pub = () =>
      device(
        'pub',
        '--connection',
        'pump-6/connection.json',
        '--renew',
        '-t',
        'devices/pump-6/a',
        '-m',
        'x',
        '-q',
        '1',
      );
    assert.equal((await pub()).code, 0);
    const renewed = await cert();
    assert.notEqual(renewed, before);
    assert.equal((await pub()).code, 0);
    assert.equal(await cert(), renewed);
    assert.match((await device('pub', '--renew', '-t', 'a', '-m', 'x')).stderr, /--renew needs --connection/);
  });

  test('the SDK enrols, and says which answer it got', async () => {
    const invitation = await loadInvitation(await invite('pump-7'));
    const { certificate } = await enrol(invitation, 'pump-7', await generatePrivateKey());
    assert.equal(describeCertificate(certificate).commonName, 'pump-7');
    await assert.rejects(enrol(invitation, 'pump-7', await generatePrivateKey()), {
      code: 'certificate',
      reason: 'pki.invite_refused',
    });
    await waitFor(() => broker.log.some((line) => /spent/.test(line.reason ?? '')));
  });
});
