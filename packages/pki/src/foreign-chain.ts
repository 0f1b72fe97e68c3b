import { type KeyObject, X509Certificate } from 'node:crypto';
import type { Authority } from './authority.js';
import { type CertificateContent, oid, readCertificate } from './certificate-content.js';
import { DerError } from './der.js';
import { pem } from './der-writer.js';
import { nameText } from './distinguished-name.js';
import { PkiError } from './errors.js';
import { pemBlocks } from './pem.js';
import { RevocationListContent } from './revocation-list-content.js';
import { signatureAlgorithmOf } from './signature-algorithm.js';

/** Bits of key usage (RFC 5280 §4.2.1.3). */
const [keyCertSign, crlSign] = [0x04, 0x02];

interface Link {
  readonly certificate: X509Certificate;
  readonly content: CertificateContent;
  /** As RFC 4514 writes it. */
  readonly name: string;
}

/** An authority that others have vouched for. */
export interface ForeignAuthority extends Authority {
  /** PEM of the root, in which the chain ends. */
  readonly root: string;
  /** PEM of the revocation lists of the authorities above it. */
  readonly lists: string;
}

/**
 * Puts together an issuing authority that others have made: finds its certificate by the key, and its way up to a root, in
 * whatever order they stand; and checks that it may sign what is signed here (RFC 5280 §6.1.4).
 *
 * @param chain PEM of all certificates, the root's included
 * @param lists DER of revocation lists; undefined where no lists are to be checked
 * @throws PkiError `pki.invalid_file` with what is wrong, `pki.authority_expired`, `pki.unsupported_key`
 */
export function foreignAuthority(
  chain: string,
  privateKey: KeyObject,
  lists: readonly Buffer[] | undefined,
  now: Date,
): ForeignAuthority {
  signatureAlgorithmOf(privateKey);
  const known = readable(() => pemBlocks(chain, 'CERTIFICATE').map(linkOf), 'the chain');
  const issuing = known.find(({ certificate }) => certificate.checkPrivateKey(privateKey));
  if (issuing === undefined) throw invalid('the key belongs to none of the certificates');
  const path = pathFrom(issuing, known);
  for (const [below, link] of path.entries()) assertMaySign(link, below, now);
  assertMayIssue(issuing);
  const above = path.slice(1);
  const last = path.at(-1) ?? issuing;
  return {
    certificate: path
      .slice(0, Math.max(1, path.length - 1))
      .map(pemOf)
      .join(''),
    privateKey,
    root: pemOf(last),
    lists: lists === undefined ? '' : listsOf(above, lists, now),
  };
}

function linkOf(der: Buffer): Link {
  const content = readCertificate(der);
  return { certificate: new X509Certificate(der), content, name: nameText(content.subject) };
}

/** From the certificate to its root; each is signed by the next. One with the name of its issuer may have another key yet. */
function pathFrom(issuing: Link, known: readonly Link[]): Link[] {
  const path = [issuing];
  for (let current = issuing; !isSignedBy(current, current); ) {
    const { content, name } = current;
    const next = known.find((other) => isSignedBy(current, other));
    if (next === undefined) {
      const hint = 'the file must hold every certificate up to the root';
      throw invalid(`the issuer of ${name} is missing: ${nameText(content.issuer)}`, hint);
    }
    if (path.includes(next)) throw invalid(`${name} and ${next.name} have issued each other`);
    path.push(next);
    current = next;
  }
  return path;
}

function isSignedBy({ content, certificate }: Link, other: Link): boolean {
  return other.content.subject.der.equals(content.issuer.der) && certificate.verify(other.certificate.publicKey);
}

/** @param below how many authorities there are between it and the certificates that are issued here */
function assertMaySign({ content, name }: Link, below: number, now: Date): void {
  const { isAuthority, pathLength, keyUsage, notBefore, notAfter } = content;
  if (!isAuthority) throw invalid(`${name} is no authority: its basic constraints do not say CA:TRUE`);
  if (keyUsage !== undefined && (keyUsage & keyCertSign) === 0)
    throw invalid(`${name} may not sign certificates: its key usage lacks keyCertSign`);
  if (pathLength !== undefined && pathLength < below)
    throw invalid(
      `${name} allows ${pathLength} authorities below it, and there are ${below}: its path length is too short`,
    );
  if (notAfter <= now.getTime())
    throw new PkiError('pki.authority_expired', `${name} ended on ${new Date(notAfter).toISOString()}`);
  if (notBefore > now.getTime()) throw invalid(`${name} begins on ${new Date(notBefore).toISOString()}`);
}

function assertMayIssue({ content: { keyUsage, extendedKeyUsage }, name }: Link): void {
  if (keyUsage !== undefined && (keyUsage & crlSign) === 0)
    throw invalid(`${name} may not sign revocation lists: its key usage lacks cRLSign`);
  if (extendedKeyUsage !== undefined && !extendedKeyUsage.includes(oid.clientAuth))
    throw invalid(`${name} may not issue certificates of clients: its extended key usage lacks clientAuth`);
}

/** One good list of each authority above: who checks lists wants one of every authority in the chain. */
function listsOf(above: readonly Link[], lists: readonly Buffer[], now: Date): string {
  const known = readable(
    () => lists.map((der) => ({ der, list: RevocationListContent.read(der) })),
    'a revocation list',
  );
  return above
    .map(({ certificate, content, name }) => {
      const own = known.filter(({ list }) => list.issuer === content.subject.der.toString('latin1'));
      const good = own.find(({ list }) => list.isSignedBy(certificate.publicKey));
      if (good === undefined) {
        const hint = 'give it with --crl, or say --without-crl and leave crlfile out of the configuration';
        throw invalid(`there is no revocation list of ${name}`, hint);
      }
      const { nextUpdate } = good.list;
      if (nextUpdate !== undefined && nextUpdate <= now.getTime())
        throw invalid(`the revocation list of ${name} ran out on ${new Date(nextUpdate).toISOString()}`);
      return pem('X509 CRL', good.der);
    })
    .join('');
}

function readable<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof PkiError) throw cause;
    const why = cause instanceof DerError || cause instanceof Error ? cause.message : String(cause);
    throw new PkiError('pki.invalid_file', `${what} cannot be read: ${why}`, { cause });
  }
}

function pemOf({ certificate }: Link): string {
  return pem('CERTIFICATE', certificate.raw);
}

function invalid(message: string, hint?: string): PkiError {
  return new PkiError('pki.invalid_file', message, hint === undefined ? {} : { hint });
}
