import assert from 'node:assert/strict';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type AuthorityStore, describeCertificate, initAuthority, openAuthority } from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { runModule } from './helpers/child.js';
import { pkiError } from './helpers/codes.js';
import { openssl } from './helpers/openssl.js';

const now = new Date();
const day = 86_400_000;
const packageIndex = import.meta.resolve('@moat/pki');

function later(days: number): Date {
  return new Date(now.getTime() + days * day);
}

async function newStore(t: TestContext): Promise<AuthorityStore> {
  const directory = join(await temporaryDirectory(t), 'pki');
  return initAuthority(directory, { hosts: ['localhost'], days: 90, now });
}

function read(store: AuthorityStore, file: string): Promise<string> {
  return readFile(join(store.directory, file), 'utf8');
}

/** What openssl reads in the store's list: upper-case serial numbers in order, and the number. */
async function listed(store: AuthorityStore) {
  const { text } = openssl(['crl', '-noout', '-text', '-crlnumber'], await read(store, 'ca.crl'));
  return {
    serials: [...text.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, serial = '']) => serial.toLowerCase()),
    number: Number(/crlNumber=(\w+)/.exec(text)?.[1]),
    nextUpdate: new Date(/Next Update: (.+)/.exec(text)?.[1] ?? ''),
  };
}

/** Whether openssl accepts the certificate, list and all. */
function accepted(store: AuthorityStore, pem: string): boolean {
  const file = (name: string) => join(store.directory, name);
  return openssl(['verify', '-crl_check', '-CAfile', file('ca.crt'), '-CRLfile', file('ca.crl')], pem).ok;
}

test('every certificate that is issued stands in the log', async (t) => {
  const store = await newStore(t);
  const { certificate } = await store.issueDevice({ name: 'pump-7', days: 30, now });
  const [server, device, ...rest] = await store.listIssued();
  const { serialNumber, notBefore, notAfter, fingerprint } = describeCertificate(certificate);
  assert.deepEqual(device, {
    serialNumber,
    name: 'pump-7',
    kind: 'device',
    notBefore,
    notAfter,
    fingerprint,
    revocation: undefined,
  });
  assert.equal(server?.fingerprint, describeCertificate(await read(store, 'server.crt')).fingerprint);
  assert.equal(server?.kind, 'server');
  assert.deepEqual(rest, []);
});

test('a private key of a device is nowhere in the store', async (t) => {
  const store = await newStore(t);
  const { privateKey } = await store.issueDevice({ name: 'pump-7', days: 30, now });
  const secret = privateKey.export({ format: 'jwk' }).d ?? '';
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' })).split('\n')[1] ?? '';
  for (const file of ['ca.key', 'server.key', 'issued.jsonl', 'revoked.jsonl']) {
    const text = await read(store, file);
    assert.ok(!text.includes(pem) && !text.includes(secret), file);
  }
});

test('a device name is given once while its certificate is valid', async (t) => {
  const store = await newStore(t);
  await store.issueDevice({ name: 'pump-7', days: 30, now });
  await assert.rejects(store.issueDevice({ name: 'pump-7', days: 30, now }), pkiError('pki.name_taken', /pump-7/));
  await store.issueDevice({ name: 'pump-8', days: 30, now });
  await store.issueDevice({ name: 'localhost', days: 30, now });
  await store.issueDevice({ name: 'pump-7', days: 30, now: later(31) });
});

test('a refused name or number of days leaves no line in the log', async (t) => {
  const store = await newStore(t);
  await assert.rejects(store.issueDevice({ name: 'a/b', days: 30, now }), pkiError('pki.invalid_name'));
  await assert.rejects(store.issueDevice({ name: 'pump-7', days: 0, now }), pkiError('pki.invalid_days'));
  assert.equal((await store.listIssued()).length, 1);
});

test(
  'a revoked device is refused at once, the others are not, and its name is free again',
  needs('openssl'),
  async (t) => {
    const store = await newStore(t);
    const [bad, good] = [
      await store.issueDevice({ name: 'pump-7', days: 30, now }),
      await store.issueDevice({ name: 'pump-8', days: 30, now }),
    ];
    const [revoked] = await store.revoke({ name: 'pump-7' }, { now, reason: 'keyCompromise' });
    assert.equal(revoked?.serialNumber, describeCertificate(bad.certificate).serialNumber);
    assert.ok(!accepted(store, bad.certificate));
    assert.ok(accepted(store, good.certificate));
    assert.deepEqual((await store.listIssued())[1]?.revocation, { at: now, reason: 'keyCompromise' });
    assert.ok(accepted(store, (await store.issueDevice({ name: 'pump-7', days: 30, now })).certificate));
  },
);

test(
  'a certificate of any kind is revoked by its serial number, in either case of letters',
  needs('openssl'),
  async (t) => {
    const store = await newStore(t);
    const server = await read(store, 'server.crt');
    const { serialNumber } = describeCertificate(server);
    const [revoked] = await store.revoke({ serialNumber: serialNumber.toUpperCase() }, { now });
    assert.equal(revoked?.kind, 'server');
    assert.ok(!accepted(store, server));
  },
);

test('to revoke a name leaves a server of that name alone', async (t) => {
  const store = await newStore(t);
  const unknown = pkiError('pki.unknown_certificate', /localhost/);
  await assert.rejects(store.revoke({ name: 'localhost' }, { now }), unknown);
});

test('what was never issued cannot be revoked', async (t) => {
  const store = await newStore(t);
  const list = await read(store, 'ca.crl');
  await assert.rejects(store.revoke({ name: 'pump-7' }, { now }), pkiError('pki.unknown_certificate'));
  await assert.rejects(store.revoke({ serialNumber: '1234' }, { now }), pkiError('pki.unknown_certificate'));
  assert.equal(await read(store, 'ca.crl'), list);
});

test('to revoke again heals a list that a crash kept from being signed', needs('openssl'), async (t) => {
  const store = await newStore(t);
  const list = await read(store, 'ca.crl');
  const { certificate } = await store.issueDevice({ name: 'pump-7', days: 30, now });
  await store.revoke({ name: 'pump-7' }, { now });
  await writeFile(join(store.directory, 'ca.crl'), list);
  assert.deepEqual(await store.revoke({ name: 'pump-7' }, { now }), []);
  assert.deepEqual((await listed(store)).serials, [describeCertificate(certificate).serialNumber]);
});

test('each list has a higher number than the one before (RFC 5280 §5.2.3)', needs('openssl'), async (t) => {
  const store = await newStore(t);
  const numbers = [(await listed(store)).number];
  for (const name of ['pump-7', 'pump-8', 'pump-9']) {
    await store.issueDevice({ name, days: 30, now });
    await store.revoke({ name }, { now });
    numbers.push((await listed(store)).number);
  }
  assert.deepEqual(numbers, [1, 2, 3, 4]);
});

test('the list is signed anew in the second half of its life, and not before', needs('openssl'), async (t) => {
  const store = await newStore(t);
  const first = await listed(store);
  assert.equal(Math.round((first.nextUpdate.getTime() - now.getTime()) / day), 365);
  assert.equal(await store.refreshRevocationList(later(182)), false);
  assert.equal((await listed(store)).number, first.number);
  assert.equal(await store.refreshRevocationList(later(183)), true);
  const second = await listed(store);
  assert.equal(second.number, first.number + 1);
  assert.equal(Math.round((second.nextUpdate.getTime() - now.getTime()) / day), 183 + 365);
});

test(
  'a new server certificate fits the key that is there, or a new key if there is none',
  needs('openssl'),
  async (t) => {
    const store = await newStore(t);
    const before = { key: await read(store, 'server.key'), certificate: await read(store, 'server.crt') };
    await store.issueServer({ hosts: ['broker.example.com'], days: 90, now });
    assert.equal(await read(store, 'server.key'), before.key);
    const renewed = await read(store, 'server.crt');
    assert.notEqual(renewed, before.certificate);
    assert.deepEqual(describeCertificate(renewed).alternativeNames, [{ type: 'dns', value: 'broker.example.com' }]);

    await rm(join(store.directory, 'server.key'));
    await store.issueServer({ hosts: ['broker.example.com'], days: 90, now });
    const publicKey = openssl(['pkey', '-pubout', '-in', join(store.directory, 'server.key')]).text;
    assert.notEqual(await read(store, 'server.key'), before.key);
    assert.equal(openssl(['x509', '-noout', '-pubkey'], await read(store, 'server.crt')).text, publicKey);
    assert.equal((await store.listIssued()).length, 3);
  },
);

test(
  'processes that add and revoke devices at once lose no certificate and no revocation',
  needs('openssl'),
  async (t) => {
    const store = await newStore(t);
    const source = `
    const [, index, directory, prefix] = process.argv;
    const { openAuthority } = await import(index);
    const store = await openAuthority(directory);
    for (let n = 0; n < 10; n++) {
      const name = prefix + n;
      await store.issueDevice({ name, days: 30, now: new Date() });
      if (n % 2) await store.revoke({ name }, { now: new Date() });
    }`;
    await Promise.all(['a', 'b', 'c'].map((prefix) => runModule(source, packageIndex, store.directory, prefix)));
    const devices = (await store.listIssued()).filter(({ kind }) => kind === 'device');
    const expected = ['a', 'b', 'c'].flatMap((prefix) => Array.from({ length: 10 }, (_, n) => `${prefix}${n}`));
    assert.deepEqual(devices.map(({ name }) => name).sort(), expected);
    const revoked = devices.filter(({ revocation }) => revocation).map(({ serialNumber }) => serialNumber);
    assert.equal(revoked.length, 15);
    const list = await listed(store);
    assert.deepEqual(list.serials.sort(), revoked.sort());
    assert.equal(list.number, 16);
  },
);

test('a certificate revoked by two at once stands on the list once', needs('openssl'), async (t) => {
  const store = await newStore(t);
  await store.issueDevice({ name: 'pump-7', days: 30, now });
  await Promise.all([1, 2, 3].map(() => store.revoke({ name: 'pump-7' }, { now })));
  assert.equal((await listed(store)).serials.length, 1);
});

test('a line that a crash cut in either log does no harm', needs('openssl'), async (t) => {
  const store = await newStore(t);
  for (const log of ['issued.jsonl', 'revoked.jsonl'])
    await appendFile(join(store.directory, log), '{"serialNumber":"12');
  const reopened = await openAuthority(store.directory);
  await reopened.issueDevice({ name: 'pump-7', days: 30, now });
  await reopened.revoke({ name: 'pump-7' }, { now });
  assert.deepEqual(
    (await reopened.listIssued()).map(({ name }) => name),
    ['localhost', 'pump-7'],
  );
  assert.equal((await listed(reopened)).serials.length, 1);
});

test('a line of a log that says something else is an error with file and line', async (t) => {
  const at = '"at":"2026-01-01T00:00:00.000Z"';
  const damaged = {
    'issued.jsonl': ['{}', '7', '{"serialNumber":"ZZ"}'],
    'revoked.jsonl': [
      '{}',
      '{"at":"x"}',
      `{${at},"revoked":{}}`,
      `{${at},"revoked":{"serialNumber":"12","reason":"x"}}`,
      `{${at},"revoked":null}`,
    ],
  };
  for (const [log, lines] of Object.entries(damaged)) {
    for (const line of lines) {
      const store = await newStore(t);
      await appendFile(join(store.directory, log), `${line}\n`);
      await assert.rejects(store.listIssued(), pkiError('pki.invalid_file', new RegExp(`${log}:2:1: `)), line);
    }
  }
});
