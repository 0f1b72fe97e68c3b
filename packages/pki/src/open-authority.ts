import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  type Authority,
  type AuthorityOptions,
  createAuthorities,
  createAuthority,
  isEncrypted,
  loadAuthority,
} from './authority.js';
import { FILES } from './authority-files.js';
import { AuthorityStore } from './authority-store.js';
import { describeCertificate, parseCertificate } from './certificate.js';
import { PkiError } from './errors.js';
import { inFile, isSystemError, PUBLIC, readIfThere, SECRET, syncDirectory, writeAuthorityFile } from './files.js';
import type { ForeignAuthority } from './foreign-chain.js';
import { signRevocationList } from './revocation-list.js';
import { privateKeyPem } from './x509.js';

export interface InitOptions extends AuthorityOptions {
  /** Host names and IP addresses that clients reach the server by. */
  readonly hosts: readonly string[];
  /** Days that the server's certificate is good for. */
  readonly days: number;
  /** Makes a root and an issuing authority below it; default one authority. */
  readonly issuing?: boolean;
  /** An authority that there is already, a root, in place of a new one. */
  readonly authority?: Authority;
  /** One that others have vouched for. */
  readonly foreign?: ForeignAuthority;
  /** Encrypts the keys of the authorities. */
  readonly passphrase?: string;
}

/**
 * Makes an authority, its first (empty) revocation list and a server's certificate in `directory` (mode 0700), with
 * the files of {@link FILES}. The directory appears complete or not at all; of two that make it at once, one wins.
 *
 * @throws PkiError `pki.exists` if the directory is there and not empty; `pki.invalid_host`, `pki.invalid_days`
 */
export async function initAuthority(directory: string, options: InitOptions): Promise<AuthorityStore> {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const draft = await mkdtemp(`${resolve(directory)}.`);
  try {
    await fill(draft, options);
    await rename(draft, directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (isSystemError(error, 'ENOTEMPTY', 'EEXIST')) {
      throw new PkiError('pki.exists', `${directory} holds files already`, {
        hint: 'use it, or choose another directory',
      });
    }
    throw error;
  }
  await syncDirectory(parent);
  return openAuthority(directory, () => options.passphrase);
}

async function fill(directory: string, options: InitOptions): Promise<void> {
  const write = (file: keyof typeof FILES, text: string, mode: number) =>
    writeAuthorityFile(join(directory, FILES[file]), text, mode);
  const keyOf = ({ privateKey }: Authority) => privateKeyPem(privateKey, options.passphrase);
  const { signer, root, lists } = await authoritiesFor(options);
  await write('caCertificate', root.certificate, PUBLIC);
  if ('privateKey' in root) await write('caKey', keyOf(root), SECRET);
  if (signer !== root) {
    await write('issuingCertificate', signer.certificate, PUBLIC);
    await write('issuingKey', keyOf(signer), SECRET);
  }
  if (lists !== undefined) await write('rootRevocationList', lists, PUBLIC);
  await write('issued', '', SECRET);
  await write('revoked', '', SECRET);
  const store = new AuthorityStore(directory, signer);
  await store.issueServer(options);
  await store.refreshRevocationList(options.now);
}

/** Who signs, what is trusted, and the lists of whoever is above: the signer itself is trusted where there is nobody. */
interface Authorities {
  readonly signer: Authority;
  readonly root: Authority | Pick<Authority, 'certificate'>;
  readonly lists?: string;
}

async function authoritiesFor(options: InitOptions): Promise<Authorities> {
  const { authority, foreign, now } = options;
  if (foreign) {
    const { root, lists } = foreign;
    if (root === foreign.certificate) return alone(foreign);
    return { signer: foreign, root: { certificate: root }, ...(lists === '' ? {} : { lists }) };
  }
  if (authority) {
    const { certificate, issuer, subject } = parseAuthority(authority.certificate);
    if (issuer !== subject) {
      const hint = 'an authority below another one is taken over with its chain: moat pki import';
      throw new PkiError('pki.invalid_file', 'the certificate of the authority is not self-signed', { hint });
    }
    return alone({ ...authority, certificate });
  }
  if (!options.issuing) return alone(await createAuthority(options));
  const { root, issuing } = await createAuthorities(options);
  // The root's key goes offline, so its empty list has to last as long as it does.
  const nextUpdate = describeCertificate(root.certificate).notAfter;
  return { signer: issuing, root, lists: signRevocationList(root, [], { now, nextUpdate, number: 1 }) };
}

function alone(signer: Authority): Authorities {
  return { signer, root: signer };
}

function parseAuthority(pem: string): { certificate: string; issuer: string; subject: string } {
  const parsed = parseCertificate(pem);
  return { certificate: `${parsed.toString().trimEnd()}\n`, issuer: parsed.issuer, subject: parsed.subject };
}

/**
 * Opens the authority in a directory that {@link initAuthority} made: the issuing one, where there is one.
 *
 * @param passphrase asked for when the key is encrypted
 * @param facts what certificates are to say of the authority
 * @throws PkiError `pki.not_found` if there is none, `pki.invalid_file` if its certificate or key is damaged,
 *   `pki.passphrase`
 */
export async function openAuthority(
  directory: string,
  passphrase: () => string | undefined | Promise<string | undefined> = () => undefined,
  facts: Pick<Authority, 'ocspUrl'> = {},
): Promise<AuthorityStore> {
  const read = (file: keyof typeof FILES) => readIfThere(join(directory, FILES[file]));
  const [root, issuing] = await Promise.all([read('caCertificate'), read('issuingCertificate')]);
  const key = await read(issuing === undefined ? 'caKey' : 'issuingKey');
  if (root === undefined || key === undefined) {
    const missing = root === undefined ? FILES.caCertificate : issuing === undefined ? FILES.caKey : FILES.issuingKey;
    throw new PkiError('pki.not_found', `no ${missing} in ${directory}`);
  }
  const secret = isEncrypted(key) ? await passphrase() : undefined;
  const authority = inFile(directory, () => loadAuthority(issuing ?? root, key, secret));
  return new AuthorityStore(directory, {
    ...authority,
    ...(issuing === undefined ? {} : { root }),
    ...facts,
  });
}
