import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { createAuthority, issueDeviceCertificate, type RevokedCertificate, signRevocationList } from '@moat/pki';
import { startBroker } from '../support/broker.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

/** 5,000 take ten seconds, nearly all of it for their handshakes. */
const count = Number(process.env['MOAT_REVOCATION_CLIENTS'] ?? 100);
const inList = 500;

it(`One of ${count} connections ends when its certificate is revoked, beside ${inList} others on the list`, async (t) => {
  const now = new Date();
  const authority = await createAuthority({ now });
  const identities: ClientIdentity[] = [];
  for (const name of ['revoked', 'good']) {
    const { certificate, privateKey } = await issueDeviceCertificate(authority, { name, days: 1, now });
    identities.push({ cert: certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) });
  }
  const [revoked, good] = identities as [ClientIdentity, ClientIdentity];
  const serials = Array.from({ length: inList }, (_, index) => (0x4000_0000 + index).toString(16));
  let where = '';
  const write = async (more: readonly string[], number: number): Promise<void> => {
    const entries = [...serials, ...more].map(
      (serialNumber): RevokedCertificate => ({ serialNumber, revokedAt: now, reason: 'keyCompromise' }),
    );
    const nextUpdate = new Date(now.getTime() + 3_600_000);
    await writeFile(join(where, '.draft'), signRevocationList(authority, entries, { now, nextUpdate, number }));
    await rename(join(where, '.draft'), join(where, 'clients.crl'));
  };
  const prepare = async (directory: string): Promise<void> => {
    where = directory;
    await TestAuthority.create(directory);
    await writeFile(join(directory, 'clients.crt'), authority.certificate);
    await write([], 1);
  };
  const listener = {
    protocol: 'mqtts' as const,
    bind: '127.0.0.1',
    port: 0,
    cafile: 'clients.crt',
    crlfile: 'clients.crl',
  };
  const { broker, port, stop } = await startBroker(
    { listeners: [{ ...listener, require_certificate: true }] },
    { prepare },
  );
  t.after(stop);

  const contexts = { revoked: createSecureContext(revoked), good: createSecureContext(good) };
  const open = async (index: number): Promise<TLSSocket> => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      secureContext: contexts[index === 0 ? 'revoked' : 'good'],
    });
    await once(socket, 'secureConnect');
    socket.write(Buffer.from(connectPacket(4, { clientId: `c${index}` }).replaceAll(' ', ''), 'hex'));
    const [connack] = await once(socket, 'data');
    assert.equal(connack.toString('hex'), '20020000');
    return socket;
  };
  const sockets: TLSSocket[] = [];
  for (let from = 0; from < count; from += 50) {
    const batch = Array.from({ length: Math.min(50, count - from) }, (_, index) => open(from + index));
    sockets.push(...(await Promise.all(batch)));
  }
  let lost = 0;
  for (const socket of sockets.slice(1)) socket.on('close', () => lost++);
  const [first, ...others] = sockets as [TLSSocket, ...TLSSocket[]];

  const closed = once(first, 'close');
  first.resume();
  await write([new X509Certificate(revoked.cert).serialNumber], 2);
  const written = performance.now();
  await closed;
  t.diagnostic(`closed ${Math.round(performance.now() - written)} ms after the list was there`);

  const last = RawClient.over(others.at(-1) as TLSSocket);
  last.send('c000');
  await last.expect('d000');
  assert.equal(lost, 0);
  assert.equal(broker.status().connections, count - 1);
  for (const socket of others) socket.destroy();
});
