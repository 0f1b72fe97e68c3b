import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type AuthorityOptions, createAuthority, loadAuthority } from './authority.js';
import { FILES } from './authority-files.js';
import { AuthorityStore } from './authority-store.js';
import { PkiError } from './errors.js';
import { inFile, isSystemError, PUBLIC, readIfThere, SECRET, syncDirectory, writeFileAtomic } from './files.js';
import { privateKeyPem } from './x509.js';

export interface InitOptions extends AuthorityOptions {
  /** Host names and IP addresses that clients reach the server by. */
  readonly hosts: readonly string[];
  /** Days that the server's certificate is good for. */
  readonly days: number;
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
  return openAuthority(directory);
}

async function fill(directory: string, options: InitOptions): Promise<void> {
  const authority = await createAuthority(options);
  await writeFileAtomic(join(directory, FILES.caKey), privateKeyPem(authority.privateKey), SECRET);
  await writeFileAtomic(join(directory, FILES.caCertificate), authority.certificate, PUBLIC);
  await writeFileAtomic(join(directory, FILES.issued), '', SECRET);
  await writeFileAtomic(join(directory, FILES.revoked), '', SECRET);
  const store = new AuthorityStore(directory, authority);
  await store.issueServer(options);
  await store.refreshRevocationList(options.now);
}

/**
 * Opens the authority in a directory that {@link initAuthority} made.
 *
 * @throws PkiError `pki.not_found` if there is none, `pki.invalid_file` if its certificate or key is damaged
 */
export async function openAuthority(directory: string): Promise<AuthorityStore> {
  const certificatePath = join(directory, FILES.caCertificate);
  const keyPath = join(directory, FILES.caKey);
  const [certificate, key] = await Promise.all([readIfThere(certificatePath), readIfThere(keyPath)]);
  if (certificate === undefined || key === undefined) {
    throw new PkiError(
      'pki.not_found',
      `no ${certificate === undefined ? FILES.caCertificate : FILES.caKey} in ${directory}`,
    );
  }
  return new AuthorityStore(
    directory,
    inFile(directory, () => loadAuthority(certificate, key)),
  );
}
