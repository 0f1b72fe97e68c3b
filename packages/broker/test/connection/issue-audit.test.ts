import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAuthority, describeCertificate, IssueLog, issueDeviceCertificate } from '@moat/pki';
import { temporaryDirectory, waitFor } from '@moat/testkit';
import { Audit } from '../../dist/audit/audit.js';
import { IssueAudit } from '../../dist/connection/issue-audit.js';
import { Broker } from '../../dist/index.js';
import { silent, testConfiguration } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { recordingLog } from '../support/recording-log.js';

const toText = ({ event, username, reason }: { event?: string; username?: string; reason?: string }) =>
  `${event} ${username} ${reason}`;

/** An authority, brokers on its directory one after the other, and what these say of certificates. */
async function audited(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const authority = await TestAuthority.create(directory);
  const { events, log: infos } = recordingLog(toText);
  const log = { ...infos, error: infos.info };
  const certificates = () => events.filter((event) => event.startsWith('cert.'));
  const start = () => Broker.start({ configuration: testConfiguration(directory), log });
  return { directory, authority, certificates, start };
}

test('what is issued is in the audit once, whoever issued it, and also while no broker ran', async (t) => {
  const { directory, authority, certificates, start } = await audited(t);
  const serialOf = async (name: string) => describeCertificate((await authority.device(name)).cert).serialNumber;
  const before = await serialOf('before');
  const first = await start();
  const during = await serialOf('during');
  await waitFor(() => certificates().length === 3);
  await first.stop();
  const between = await serialOf('between');
  const second = await start();
  await waitFor(() => certificates().length === 4);
  await second.stop();
  assert.match(certificates()[0] ?? '', /^cert\.issued 127\.0\.0\.1 server, serial [0-9a-f]{32}, until \d{4}-/);
  for (const [index, name, serial] of [
    [1, 'before', before],
    [2, 'during', during],
    [3, 'between', between],
  ] as const)
    assert.ok(certificates()[index]?.startsWith(`cert.issued ${name} device, serial ${serial}, until `), name);
  const journal = await readFile(join(directory, 'audit/audit-00000001.jsonl'), 'utf8');
  for (const serial of [before, during, between]) assert.ok(journal.includes(serial), 'in the journal as well');

  const issued = join(directory, 'pki/issued.jsonl');
  await writeFile(issued, (await readFile(issued, 'utf8')).split('\n').slice(0, 2).join('\n').concat('\n'));
  const third = await start();
  await third.stop();
  assert.equal(certificates().at(-1), 'cert.log_cut undefined the issue log has 2 certificates, and had 4');
});

test('renewals and revocations are records of their own, whether the broker ran or not', async (t) => {
  const { directory, authority, certificates, start } = await audited(t);
  await authority.device('pump');
  await authority.device('valve');
  const first = await start();
  await waitFor(() => certificates().length === 3);
  await authority.renewServer();
  await authority.store.renewDeviceWithNewKey({ name: 'pump', days: 1, now: new Date() });
  await waitFor(() => certificates().length === 5);
  await authority.revoke('pump');
  await waitFor(() => certificates().length === 7);
  await first.stop();
  await authority.revoke('valve');
  await authority.revoke('valve'); // changes nothing
  await authority.device('valve');
  const second = await start();
  await waitFor(() => certificates().length === 9);
  await second.stop();
  const briefly = (event: string) =>
    event.replace(/, serial .*$/, '').replace(/serial [0-9a-f]{32}, (\w+), at \d{4}-.*Z$/, '$1');
  assert.deepEqual(certificates().map(briefly), [
    'cert.issued 127.0.0.1 server',
    'cert.issued pump device',
    'cert.issued valve device',
    'cert.renewed 127.0.0.1 server',
    'cert.renewed pump device',
    'cert.revocation pump privilegeWithdrawn',
    'cert.revocation pump privilegeWithdrawn',
    'cert.issued valve device',
    'cert.revocation valve privilegeWithdrawn',
  ]);
  const serials = (await authority.store.listIssued()).filter(({ revocation }) => revocation);
  const journal = await readFile(join(directory, 'audit/audit-00000001.jsonl'), 'utf8');
  const kept = journal.split('\n').filter((line) => line.includes('"cert.revocation"'));
  for (const { serialNumber } of serials) assert.equal(kept.filter((line) => line.includes(serialNumber)).length, 1);

  await writeFile(join(directory, 'pki/revoked.jsonl'), '');
  const third = await start();
  await third.stop();
  assert.match(certificates().at(-1) ?? '', /^cert\.log_cut undefined the revocation log has 0 entries, and had \d$/);
});

test('a long log of before is told by its number, and its end one by one', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await createAuthority({ now: new Date() });
  const { certificate } = await issueDeviceCertificate(authority, { name: 'pump', days: 1, now: new Date() });
  const { serialNumber, notBefore, notAfter, fingerprint } = describeCertificate(certificate);
  const line = JSON.stringify({ serialNumber, name: 'pump', kind: 'device', notBefore, notAfter, fingerprint });
  await writeFile(join(directory, 'issued.jsonl'), `${line}\n`.repeat(2_500));
  await writeFile(join(directory, 'revoked.jsonl'), '');
  const { events, log } = recordingLog(toText);
  const audit = new Audit(log);
  const issueAudit = new IssueAudit(directory, new IssueLog(directory), audit, silent);
  await issueAudit.start();
  await issueAudit.stop();
  assert.equal(await readFile(join(directory, 'issued.audited'), 'utf8'), '2500\n');
  assert.equal(events[0], 'cert.issued undefined 1500 certificates');
  assert.equal(events.length, 1_001);
  assert.equal(audit.counts['cert.issued'], 2_500);
});
