import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  describeCertificate,
  foreignAuthority,
  isEncrypted,
  openAuthority,
  parsePrivateKey,
  pemBlocks,
} from '@moat/pki';
import { CommandError, usageError } from '../../failure.js';
import { type ConfigurationOptions, findConfiguration } from '../../local-broker.js';
import { readSecret } from '../../secret.js';
import { ensureAuthority } from '../../setup/data-directory.js';

interface ImportOptions extends ConfigurationOptions {
  readonly chain: string;
  readonly key: string;
  readonly keyPassphrase?: string;
  readonly crl: string[];
  readonly withoutCrl?: true;
  readonly host: string[];
}

/** Takes over an issuing authority of the operator's own, before the first start. An encrypted key stays encrypted. */
export async function importAuthority(options: ImportOptions): Promise<void> {
  if (options.withoutCrl && options.crl.length > 0) throw usageError('--crl and --without-crl exclude each other');
  const { configuration } = await findConfiguration(options);
  const [chain, keyPem] = [await readText(options.chain), await readText(options.key)];
  const passphrase = isEncrypted(keyPem) ? await passphraseFor(options) : undefined;
  const lists = options.withoutCrl ? undefined : (await Promise.all(options.crl.map(listsIn))).flat();
  const now = new Date();
  const foreign = foreignAuthority(chain, parsePrivateKey(keyPem, passphrase), lists, now);
  const directory = join(configuration.data_dir, 'pki');
  const wanted = { foreign, hosts: options.host, now, ...(passphrase === undefined ? {} : { passphrase }) };
  if (!(await ensureAuthority(directory, wanted)))
    throw new CommandError(1, `${directory} holds an authority already`, { hint: 'choose another --data-dir' });
  const { authority, trusted } = await openAuthority(directory, () => passphrase);
  const { subject, notAfter } = describeCertificate(authority.certificate);
  console.log(
    `${subject}, until ${notAfter.toISOString()}, signs from now on. Devices trust ${describeCertificate(trusted).subject}.`,
  );
}

async function passphraseFor({ keyPassphrase }: ImportOptions): Promise<string> {
  if (keyPassphrase !== undefined) return readSecret(keyPassphrase);
  throw new CommandError(2, 'the key is encrypted', { hint: 'give --key-passphrase env:NAME or file:PATH' });
}

/** PEM of one list or several, or DER of one. */
async function listsIn(file: string): Promise<Buffer[]> {
  const bytes = await readBytes(file);
  const blocks = pemBlocks(bytes.toString('latin1'), 'X509 CRL');
  return blocks.length === 0 ? [bytes] : blocks;
}

async function readText(file: string): Promise<string> {
  return (await readBytes(file)).toString('latin1');
}

function readBytes(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: Error) => {
    throw new CommandError(2, `cannot read ${file}: ${cause.message}`, { cause });
  });
}
