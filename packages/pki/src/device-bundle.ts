import type { KeyObject } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePrivateKey } from './authority.js';
import { writeCHeader } from './c-header.js';
import { describeCertificate } from './certificate.js';
import { PkiError } from './errors.js';
import { inFile, PUBLIC, readIfThere, SECRET, writeFileAtomic } from './files.js';
import type { IssuedCertificate } from './issue.js';
import { writePkcs12 } from './pkcs12.js';
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
const PKCS12 = 'client.p12';
const C_HEADER = 'moat_device.h';

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

/** Writes `client.p12` (mode 0600) with the bundle's key and certificates into its folder. */
export async function writeBundlePkcs12(directory: string, bundle: DeviceBundle, password: string): Promise<void> {
  const { privateKey, name } = bundle;
  const certificates = `${bundle.certificate}${bundle.caCertificate}`;
  await writeFileAtomic(join(directory, PKCS12), writePkcs12({ privateKey, certificates, name }, password), SECRET);
}

/** Writes `moat_device.h` (mode 0600) with everything of the bundle as C strings into its folder. */
export async function writeBundleCHeader(directory: string, bundle: DeviceBundle): Promise<void> {
  const header = writeCHeader({ ...bundle, privateKey: privateKeyPem(bundle.privateKey) });
  await writeFileAtomic(join(directory, C_HEADER), header, SECRET);
}

/**
 * The key in a device's folder, for a certificate that is to take the place of the one there.
 *
 * @returns undefined if there is no bundle
 * @throws PkiError `pki.exists` if the bundle is another device's, `pki.invalid_file`
 */
export async function readBundleKey(directory: string, name: string): Promise<KeyObject | undefined> {
  const [keyFile, certificateFile] = [join(directory, KEY), join(directory, CERTIFICATE)];
  const [key, certificate] = [await readIfThere(keyFile), await readIfThere(certificateFile)];
  if (key === undefined || certificate === undefined) return undefined;
  const { commonName } = inFile(certificateFile, () => describeCertificate(certificate));
  if (commonName !== name) throw new PkiError('pki.exists', `${directory} is the folder of ${commonName}`);
  return inFile(keyFile, () => parsePrivateKey(key));
}

/** Puts the next certificate of the same key in a device's folder, in place of the one before. */
export async function replaceBundleCertificate(directory: string, certificate: string): Promise<void> {
  await writeFileAtomic(join(directory, CERTIFICATE), certificate, PUBLIC);
}
