import { X509Certificate } from 'node:crypto';
import {
  type CertificateContent,
  oid as certificateOid,
  readCertificate,
  readExtensions,
} from './certificate-content.js';
import { DerCursor, DerError, objectIdentifier, Tag, time } from './der.js';
import { certificateId, oid, readCertificateId } from './ocsp-question.js';
import { isSignedBy, readSigned } from './signature.js';

/** What an authority says of a certificate (RFC 6960 §2.2). */
export interface OcspAnswer {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  /** Undefined: newer information is available at any time. */
  readonly nextUpdate: number | undefined;
}

/** Whom an answer must come from, and what it must be about. */
export interface OcspExpectation {
  readonly issuer: { readonly certificate: X509Certificate; readonly content: CertificateContent };
  readonly serialNumber: string;
  /** Of the request; undefined accepts an answer made before it, as stapled ones are. */
  readonly nonce: Uint8Array | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Milliseconds by which the clocks may differ. */
const skew = 300_000;
/** How many certificates of an answer are tried for its signer. */
const maxSigners = 4;

/**
 * Reads the answer of a responder (RFC 6960 §4.2), and believes it only if it is about this certificate, is of now, and
 * was signed by the certificate's issuer, or by whom that issuer has certified for it (§4.2.2.2).
 * @throws DerError with what is wrong with it
 */
export function readOcspAnswer(der: Buffer, { issuer, serialNumber, nonce, now }: OcspExpectation): OcspAnswer {
  const outer = new DerCursor(der).next(Tag.sequence).inside();
  const [responseStatus] = outer.next(Tag.enumerated).content;
  if (responseStatus !== 0)
    throw new DerError(`the responder answers ${statuses[responseStatus ?? -1] ?? 'what is no status'}`);
  const bytes = outer.next(0xa0).inside().next(Tag.sequence).inside();
  if (objectIdentifier(bytes.next(Tag.objectIdentifier)) !== oid.basicResponse)
    throw new DerError('an unknown kind of answer');
  const basic = bytes.next(Tag.octetString).inside().next(Tag.sequence).inside();
  const signed = readSigned(basic);
  const certificates = basic.optional(0xa0) === undefined ? [] : certificatesIn(basic.inside());
  const keys = [issuer, ...certificates.filter((other) => maySign(other, issuer, now))];
  if (!keys.some(({ certificate }) => isSignedBy(signed, certificate.publicKey)))
    throw new DerError('nobody signed it who may');
  const data = new DerCursor(signed.signed).next(Tag.sequence).inside();
  data.optional(0xa0); // version
  data.next(); // the responder's name or key: who signed is who counts
  time(data); // when it was made
  const responses = data.next(Tag.sequence).inside();
  const repeated = data.optional(0xa1) === undefined ? undefined : readExtensions(data.inside()).get(oid.nonce);
  const isFresh = repeated !== undefined && nonce !== undefined;
  if (isFresh && !repeated.value.next(Tag.octetString).content.equals(nonce))
    throw new DerError('it answers another request');
  const wanted = certificateId(issuer.content, serialNumber);
  while (!responses.done) {
    const single = responses.next(Tag.sequence).inside();
    if (readCertificateId(single) !== wanted) continue;
    const answer = readSingle(single);
    checkTime(answer, now, isFresh);
    return answer;
  }
  throw new DerError('it is about another certificate');
}

/** RFC 6960 §4.2.1. */
const statuses: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

type Known = OcspExpectation['issuer'];

function certificatesIn(cursor: DerCursor): Known[] {
  const certificates: Known[] = [];
  const list = cursor.next(Tag.sequence).inside();
  while (!list.done && certificates.length < maxSigners) {
    const { whole } = list.next(Tag.sequence);
    certificates.push({ certificate: asCertificate(whole), content: readCertificate(whole) });
  }
  return certificates;
}

function asCertificate(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new DerError('a certificate in it is none');
  }
}

/** Whether an authority has certified a responder for itself: by its own signature, and for nothing less. */
function maySign({ certificate, content }: Known, issuer: Known, now: number): boolean {
  return (
    content.extendedKeyUsage?.includes(certificateOid.ocspSigning) === true &&
    content.issuer.der.equals(issuer.content.subject.der) &&
    content.notBefore <= now &&
    now < content.notAfter &&
    certificate.verify(issuer.certificate.publicKey)
  );
}

function readSingle(single: DerCursor): OcspAnswer {
  const status = single.peek === 0x80 ? 'good' : single.peek === 0xa1 ? 'revoked' : 'unknown';
  single.next();
  const thisUpdate = time(single);
  const nextUpdate = single.optional(0xa0) === undefined ? undefined : time(single.inside());
  return { status, thisUpdate, nextUpdate };
}

function checkTime({ thisUpdate, nextUpdate }: OcspAnswer, now: number, isFresh: boolean): void {
  if (thisUpdate > now + skew) throw new DerError('it is of a time to come');
  if (nextUpdate !== undefined && nextUpdate < now - skew) throw new DerError('it has run out');
  // Without an end, anything but the newest could be played again for ever.
  if (nextUpdate === undefined && !isFresh && thisUpdate < now - skew)
    throw new DerError('it is old, and does not say how long it holds');
}
