import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { connect, createServer, type Server } from 'node:tls';
import {
  createAuthority,
  describeCertificate,
  type IssuedCertificate,
  issueDeviceCertificate,
  issueServerCertificate,
  signRevocationList,
} from '@moat/pki';

const now = new Date();
const nextUpdate = new Date(now.getTime() + 86_400_000);
const authority = await createAuthority({ now });
const serverCertificate = await issueServerCertificate(authority, { hosts: ['localhost', '127.0.0.1'], days: 1, now });
const [trusted, revoked] = [
  await issueDeviceCertificate(authority, { name: 'pump-7', days: 1, now }),
  await issueDeviceCertificate(authority, { name: 'pump-8', days: 1, now }),
];
const { serialNumber } = describeCertificate(revoked.certificate);
const crl = signRevocationList(authority, [{ serialNumber, revokedAt: now, reason: 'keyCompromise' }], {
  now,
  nextUpdate,
  number: 1,
});

function pair({ certificate, privateKey }: IssuedCertificate) {
  return { cert: certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

/**
 * A real TLS server that wants a certificate of the authority which is not on the list. A strict one closes on
 * those who have none, as Node's TLS does without a word; the other tells them why it would.
 */
async function listen(t: TestContext, strictness: 'strict' | 'telling'): Promise<number> {
  const server = createServer({
    ...pair(serverCertificate),
    ca: authority.certificate,
    crl,
    requestCert: true,
    rejectUnauthorized: strictness === 'strict',
    minVersion: 'TLSv1.3',
  });
  server.on('secureConnection', (socket) => {
    socket.end(socket.authorized ? `hello ${socket.getPeerCertificate().subject.CN}` : `${socket.authorizationError}`);
  });
  return listening(t, server);
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** What the server says to the bearer of a certificate, nothing if it closes; rejects if the client refuses the server. */
async function greeting(port: number, client: IssuedCertificate, ca = authority.certificate): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca, ...pair(client) });
  try {
    await once(socket, 'secureConnect');
    return await text(socket);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return '';
    throw error;
  } finally {
    socket.destroy();
  }
}

test('a device and a server know each other by mutual TLS', async (t) => {
  assert.equal(await greeting(await listen(t, 'strict'), trusted), 'hello pump-7');
});

test('a revoked device is refused, and the others are not', async (t) => {
  const strict = await listen(t, 'strict');
  assert.equal(await greeting(strict, revoked), '');
  assert.equal(await greeting(strict, trusted), 'hello pump-7');
  assert.match(await greeting(await listen(t, 'telling'), revoked), /CERT_REVOKED/);
});

test("a device of another authority, and a server's certificate in a device's hands, are refused", async (t) => {
  const [strict, telling] = [await listen(t, 'strict'), await listen(t, 'telling')];
  const stranger = await issueDeviceCertificate(await createAuthority({ now }), { name: 'pump-7', days: 1, now });
  assert.equal(await greeting(strict, stranger), '');
  assert.match(await greeting(telling, stranger), /UNABLE_TO_/);
  assert.equal(await greeting(strict, serverCertificate), '');
  assert.match(await greeting(telling, serverCertificate), /INVALID_PURPOSE/);
});

test('a device refuses a server of another authority', async (t) => {
  const other = await createAuthority({ now });
  const greeted = greeting(await listen(t, 'strict'), trusted, other.certificate);
  await assert.rejects(greeted, { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
});

test('a device refuses another device that poses as the server', async (t) => {
  const impostor = await issueDeviceCertificate(authority, { name: '127.0.0.1', days: 1, now });
  const port = await listening(t, createServer(pair(impostor)));
  await assert.rejects(greeting(port, trusted), { code: 'INVALID_PURPOSE' });
});
