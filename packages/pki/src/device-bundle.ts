import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PkiError } from './errors.js';
import { PUBLIC, SECRET, writeFileAtomic } from './files.js';
import type { IssuedCertificate } from './issue.js';
import { privateKeyPem } from './x509.js';

/** What `connection.json` says; relative paths start at the folder of that file. */
export interface ConnectionFile {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'mqtts';
  readonly clientId: string;
  readonly username: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface DeviceBundle extends IssuedCertificate {
  /** The device: its user name and client ID. */
  readonly name: string;
  /** PEM of the authority that the server's certificate comes from. */
  readonly caCertificate: string;
  readonly host: string;
  readonly port: number;
}

const CA = 'ca.crt';
const CERTIFICATE = 'client.crt';
const KEY = 'client.key';
const CONNECTION = 'connection.json';

/**
 * Makes the folder for a bundle (mode 0700). Call it before a certificate is issued, so that none is lost.
 *
 * @throws PkiError `pki.exists` if the folder holds a bundle already
 */
export async function prepareBundleDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const present = await readdir(directory);
  const taken = [CA, CERTIFICATE, KEY, CONNECTION].find((name) => present.includes(name));
  if (taken) throw new PkiError('pki.exists', `${join(directory, taken)} exists`, { hint: 'choose another folder' });
}

/**
 * Writes all that a device needs to connect: `ca.crt`, `client.crt`, `client.key` (mode 0600) and, last,
 * `connection.json`.
 *
 * @throws PkiError `pki.exists` if the folder holds a bundle already
 */
export async function writeDeviceBundle(directory: string, bundle: DeviceBundle): Promise<void> {
  await prepareBundleDirectory(directory);
  const connection: ConnectionFile = {
    host: bundle.host,
    port: bundle.port,
    protocol: 'mqtts',
    clientId: bundle.name,
    username: bundle.name,
    ca: CA,
    cert: CERTIFICATE,
    key: KEY,
  };
  await writeFileAtomic(join(directory, KEY), privateKeyPem(bundle.privateKey), SECRET);
  await writeFileAtomic(join(directory, CA), bundle.caCertificate, PUBLIC);
  await writeFileAtomic(join(directory, CERTIFICATE), bundle.certificate, PUBLIC);
  await writeFileAtomic(join(directory, CONNECTION), `${JSON.stringify(connection, undefined, 2)}\n`, PUBLIC);
}
