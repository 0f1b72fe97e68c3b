import { X509Certificate } from 'node:crypto';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { DerError, pemBlocks, RevocationListContent } from '@moat/pki';
import { OperatorError } from '../errors.js';
import { type Authority, asAuthority, knownCertificate } from './certificate-path.js';

/** Where a listener finds whose client certificates count; the configuration's names. */
export interface TrustFiles {
  readonly cafile: string;
  readonly capath?: string | undefined;
  readonly crlfile?: string | undefined;
  readonly crlpath?: string | undefined;
}

/** Reads the authorities. @throws OperatorError `tls.invalid` with the file that is at fault */
export async function readAuthorities({ cafile, capath }: TrustFiles): Promise<Authority[]> {
  const files = [await read(cafile, 'cafile'), ...(capath === undefined ? [] : await readAll(capath, 'capath'))];
  return files.flatMap((file) =>
    inFile(file, 'a certificate in PEM form', (content) =>
      pemBlocks(content.toString('latin1'), 'CERTIFICATE').map((der) =>
        asAuthority(knownCertificate(new X509Certificate(der))),
      ),
    ),
  );
}

/**
 * Reads the revocation lists.
 * @returns undefined where none are configured
 * @throws OperatorError `tls.invalid` with the file that is at fault
 */
export async function readRevocationLists({
  crlfile,
  crlpath,
}: TrustFiles): Promise<RevocationListContent[] | undefined> {
  if (crlfile === undefined && crlpath === undefined) return undefined;
  const files = [
    ...(crlfile === undefined ? [] : [await read(crlfile, 'crlfile')]),
    ...(crlpath === undefined ? [] : await readAll(crlpath, 'crlpath')),
  ];
  return files.flatMap((file) =>
    inFile(file, 'a revocation list', (content) => {
      const isDer = content[0] === 0x30;
      return (isDer ? [content] : listsInPem(content.toString('latin1'))).map((der) => RevocationListContent.read(der));
    }),
  );
}

function listsInPem(pem: string): Buffer[] {
  return [...pemBlocks(pem, 'X509 CRL'), ...pemBlocks(pem, 'CRL')];
}

interface ReadFile {
  readonly name: string;
  readonly content: Buffer;
}

async function read(name: string, key: string): Promise<ReadFile> {
  try {
    return { name, content: await readFile(name) };
  } catch (cause) {
    throw unreadable(name, key, cause);
  }
}

/** Every file of a directory, but for hidden ones: those are drafts of whoever replaces a file as a whole. */
async function readAll(directory: string, key: string): Promise<ReadFile[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const shown = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'));
    // By what `openssl rehash` makes, a file has several names.
    const names = new Set(await Promise.all(shown.map(({ name }) => realpath(join(directory, name)))));
    return await Promise.all([...names].sort().map((name) => read(name, key)));
  } catch (cause) {
    throw cause instanceof OperatorError ? cause : unreadable(directory, key, cause);
  }
}

function unreadable(name: string, key: string, cause: unknown): OperatorError {
  const hint = 'moat init makes one';
  return new OperatorError('tls.invalid', `cannot read ${key} ${name}: ${(cause as Error).message}`, { hint, cause });
}

/** Takes out what a file holds, which is at least one of `what`. */
function inFile<T>({ name, content }: ReadFile, what: string, take: (content: Buffer) => T[]): T[] {
  const place = { file: name, line: 1, column: 1 };
  let found: T[];
  try {
    found = take(content);
  } catch (cause) {
    const why = cause instanceof DerError ? `: ${cause.message}` : '';
    throw new OperatorError('tls.invalid', `is not ${what} that can be used${why}`, { place, cause });
  }
  if (found.length === 0) throw new OperatorError('tls.invalid', `holds nothing that is ${what}`, { place });
  return found;
}
