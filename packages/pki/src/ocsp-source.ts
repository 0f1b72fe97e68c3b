import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { parsePrivateKey } from './authority.js';
import { FILES } from './authority-files.js';
import type { AuthorityStore } from './authority-store.js';
import { parseCertificate } from './certificate.js';
import { PkiError } from './errors.js';
import { inFile, readIfThere } from './files.js';
import { IssueLog, type ListedCertificate } from './issue-log.js';

/** Who signs answers. */
export interface OcspSigner {
  readonly privateKey: KeyObject;
  /** DER of the certificate that lets it, where it is not the authority itself. */
  readonly certificate: Buffer | undefined;
}

/** What a responder answers from. */
export interface OcspSource {
  /** PEM of the authority whose certificates it speaks of. */
  readonly issuer: string;
  /** Asked again and again: the certificate of a responder is renewed while it runs. */
  signer(): Promise<OcspSigner>;
  list(): Promise<readonly ListedCertificate[]>;
}

/**
 * What a responder in a directory answers from: signed by the responder that the authority has certified there, so that the
 * authority's key need not be at hand, or else by the authority.
 *
 * @param open opens the authority, when it is needed
 * @throws PkiError `pki.not_found`, `pki.invalid_file`
 */
export async function ocspSource(directory: string, open: () => Promise<AuthorityStore>): Promise<OcspSource> {
  const at = (file: keyof typeof FILES): string => join(directory, FILES[file]);
  if ((await readIfThere(at('responderCertificate'))) === undefined) {
    const { authority } = await open();
    const signer: OcspSigner = { privateKey: authority.privateKey, certificate: undefined };
    return sourceOf(directory, authority.certificate, async () => signer);
  }
  const issuer = (await readIfThere(at('issuingCertificate'))) ?? (await readIfThere(at('caCertificate')));
  if (issuer === undefined) throw new PkiError('pki.not_found', `no ${FILES.caCertificate} in ${directory}`);
  return sourceOf(directory, issuer, () => responderIn(at('responderCertificate'), at('responderKey')));
}

function sourceOf(directory: string, issuer: string, signer: OcspSource['signer']): OcspSource {
  const log = new IssueLog(directory);
  return { issuer, signer, list: () => log.list() };
}

async function responderIn(certificateFile: string, keyFile: string): Promise<OcspSigner> {
  const [pem, key] = [await readIfThere(certificateFile), await readIfThere(keyFile)];
  if (pem === undefined || key === undefined)
    throw new PkiError('pki.not_found', `no ${certificateFile}, or no key to it`);
  const certificate = inFile(certificateFile, () => parseCertificate(pem));
  const privateKey = inFile(keyFile, () => parsePrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey))
    throw new PkiError('pki.invalid_file', `${keyFile} does not belong to ${certificateFile}`);
  return { privateKey, certificate: certificate.raw };
}
