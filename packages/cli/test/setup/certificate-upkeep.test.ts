import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Log } from '@moat/broker';
import { describeCertificate, initAuthority } from '@moat/pki';
import { temporaryDirectory } from '@moat/testkit';
import { keepUpCertificates } from '../../dist/setup/certificate-upkeep.js';

const now = new Date();
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
const hosts = ['broker.example.com', '::1'];

const nothing = { server: false, revocationList: false, responder: false };

const keepUp = (data_dir: string, at: Date, log: Log) => keepUpCertificates({ data_dir, pki: {} }, at, log);

function collector() {
  const lines: string[] = [];
  const add = (_fields: object, text: string): unknown => lines.push(text);
  const log: Log = { info: add, warn: add, error: add, debug: add };
  return { log, lines };
}

test('the server certificate is renewed when a third of its life is left, for the same names and key', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const pki = join(dataDir, 'pki');
  await initAuthority(pki, { hosts, days: 90, now });
  const read = (file: string) => readFile(join(pki, file), 'utf8');
  const [certificate, key] = [await read('server.crt'), await read('server.key')];
  const { log, lines } = collector();
  assert.deepEqual(await keepUp(dataDir, later(59), log), { ...nothing });
  assert.equal(await read('server.crt'), certificate);
  assert.deepEqual(await keepUp(dataDir, later(61), log), { ...nothing, server: true });
  assert.deepEqual(lines, ['renewed certificates']);
  const renewed = describeCertificate(await read('server.crt'));
  assert.deepEqual(
    renewed.alternativeNames.map(({ value }) => value),
    hosts,
  );
  assert.ok(renewed.notAfter > later(150));
  assert.equal(await read('server.key'), key);
  assert.deepEqual(await keepUp(dataDir, later(61), log), { ...nothing });
});

test('the revocation list is signed anew before it runs out', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await initAuthority(join(dataDir, 'pki'), { hosts, days: 3650, now });
  const { log } = collector();
  assert.equal((await keepUp(dataDir, later(182), log)).revocationList, false);
  assert.equal((await keepUp(dataDir, later(183), log)).revocationList, true);
});

test('in the last years of an authority nothing is renewed every day', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await initAuthority(join(dataDir, 'pki'), { hosts, days: 3650, now });
  const { log } = collector();
  await keepUp(dataDir, later(3640), log);
  assert.equal((await keepUp(dataDir, later(3641), log)).server, false);
});

test('without the key of an authority nothing happens, and a damaged one is told', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const { log, lines } = collector();
  await initAuthority(join(dataDir, 'pki'), { hosts, days: 3, now });
  await rm(join(dataDir, 'pki', 'ca.key'));
  assert.equal((await keepUp(dataDir, later(3), log)).server, false);
  assert.deepEqual(lines, []);
  const other = await temporaryDirectory(t);
  await initAuthority(join(other, 'pki'), { hosts, days: 3, now });
  await rm(join(other, 'pki', 'issued.jsonl'));
  await keepUp(other, later(3), log);
  assert.deepEqual(lines, ['cannot renew certificates']);
});

test("a responder's certificate is renewed for its key, where there is one", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const store = await initAuthority(join(dataDir, 'pki'), { hosts, days: 90, now });
  const { log } = collector();
  assert.equal((await keepUp(dataDir, later(25), log)).responder, false);
  const before = await store.issueResponder({ days: 30, now });
  const key = await readFile(join(dataDir, 'pki/ocsp.key'), 'utf8');
  assert.equal((await keepUp(dataDir, later(19), log)).responder, false);
  assert.equal((await keepUp(dataDir, later(21), log)).responder, true);
  const after = describeCertificate(await readFile(join(dataDir, 'pki/ocsp.crt'), 'utf8'));
  assert.ok(after.notAfter > later(50) && after.serialNumber !== before.serialNumber);
  assert.equal(await readFile(join(dataDir, 'pki/ocsp.key'), 'utf8'), key);
});
