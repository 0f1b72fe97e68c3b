import type { KeyObject } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parsePrivateKey } from './authority.js';
import { writeCHeader } from './c-header.js';
import { describeCertificate } from './certificate.js';
import { PkiError } from './errors.js';
import { inFile, PUBLIC, readIfThere, SECRET, writeFileAtomic } from './files.js';
import type { IssuedCertificate } from './issue.js';
import { parseJson } from './json.js';
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
  const { cert, key: keyName } = await namesIn(directory);
  const [keyFile, certificateFile] = [join(directory, keyName), join(directory, cert)];
  const [key, certificate] = [await readIfThere(keyFile), await readIfThere(certificateFile)];
  if (key === undefined || certificate === undefined) return undefined;
  const { commonName } = inFile(certificateFile, () => describeCertificate(certificate));
  if (commonName !== name) throw new PkiError('pki.exists', `${directory} is the folder of ${commonName}`);
  return inFile(keyFile, () => parsePrivateKey(key));
}

/** Puts the next certificate of the same key in a device's folder, in place of the one before. */
export async function replaceBundleCertificate(directory: string, certificate: string): Promise<void> {
  await writeFileAtomic(join(directory, (await namesIn(directory)).cert), certificate, PUBLIC);
}

/** A device that made a new key itself has it under another name. */
async function namesIn(directory: string): Promise<{ readonly cert: string; readonly key: string }> {
  const file = join(directory, CONNECTION);
  return (await readIfThere(file)) === undefined ? { cert: CERTIFICATE, key: KEY } : readConnectionFile(file);
}

/**
 * Puts the next certificate in the folder of a `connection.json`. Where the key is the one there, the certificate's file
 * is replaced; a new key comes with files of new names, to which `connection.json` leads from one moment to the next. So
 * whoever reads that file finds a working pair whenever this is interrupted.
 *
 * @throws PkiError `pki.invalid_file`
 */
export async function replaceBundleIdentity(file: string, certificate: string, key: string): Promise<void> {
  const { content, cert: oldCert, key: oldKey } = await readConnectionFile(file);
  const at = (name: string): string => resolve(dirname(file), name);
  if ((await readIfThere(at(oldKey))) === key) return writeFileAtomic(at(oldCert), certificate, PUBLIC);
  const stem = `client-${describeCertificate(certificate).fingerprint.slice(0, 16)}`;
  const [newCert, newKey] = [`${stem}.crt`, `${stem}.key`];
  await writeFileAtomic(at(newKey), key, SECRET);
  await writeFileAtomic(at(newCert), certificate, PUBLIC);
  const next = { ...content, cert: newCert, key: newKey };
  await writeFileAtomic(file, `${JSON.stringify(next, undefined, 2)}\n`, PUBLIC);
  // A key that counts no more is not left lying about; one that was linked from elsewhere is its owner's.
  for (const old of [oldKey, oldCert]) if (basename(old) === old) await rm(at(old), { force: true });
}

async function readConnectionFile(file: string): Promise<{ content: object; cert: string; key: string }> {
  const content = parseJson((await readIfThere(file)) ?? '');
  if (typeof content === 'object' && content !== null && 'cert' in content && 'key' in content) {
    const { cert, key } = content;
    if (typeof cert === 'string' && typeof key === 'string') return { content, cert, key };
  }
  throw new PkiError('pki.invalid_file', `${file} names no certificate and key`);
}
