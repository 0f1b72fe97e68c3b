import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientCertificate } from '@moat/cli/load';
import { createAuthority, issueDeviceCertificate, signRevocationList } from '@moat/pki';

/** The server certificate that all brokers of a run share: ECDSA P-256, signed by itself. */
export interface Certificate {
  readonly name: string;
  readonly certfile: string;
  readonly keyfile: string;
  readonly pem: string;
  readonly clients: Clients;
}

/** The authority of clients, its revocation list, and who has a certificate. */
interface Clients {
  readonly cafile: string;
  readonly crlfile: string;
  readonly identities: readonly ClientCertificate[];
}

const devices = 500;
const revoked = 1_000;

/** Makes one with openssl(1), and an authority for clients. */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const name = 'localhost';
  const certfile = join(directory, 'server.crt');
  const keyfile = join(directory, 'server.key');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyfile];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...names, '-out', certfile], { stdio: 'pipe' });
  return { name, certfile, keyfile, pem: readFileSync(certfile, 'utf8'), clients: await makeClients(directory) };
}

async function makeClients(directory: string): Promise<Clients> {
  const now = new Date();
  const authority = await createAuthority({ now });
  const cafile = join(directory, 'clients.crt');
  const crlfile = join(directory, 'clients.crl');
  writeFileSync(cafile, authority.certificate);
  const serials = Array.from({ length: revoked }, (_, index) => (0x4000_0000 + index).toString(16));
  const entries = serials.map((serialNumber) => ({ serialNumber, revokedAt: now, reason: 'superseded' }) as const);
  const nextUpdate = new Date(now.getTime() + 86_400_000);
  writeFileSync(crlfile, await signRevocationList(authority, entries, { now, nextUpdate, number: 1 }));
  const identities: ClientCertificate[] = [];
  for (let device = 0; device < devices; device++) {
    const issued = await issueDeviceCertificate(authority, { name: `device-${device}`, days: 1, now });
    identities.push({
      cert: issued.certificate,
      key: String(issued.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    });
  }
  return { cafile, crlfile, identities };
}
