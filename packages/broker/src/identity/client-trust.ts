import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { attributeTypes, DerError, nameText, valuesOf } from '@moat/pki';
import {
  type Authorities,
  type CertificatePath,
  findPath,
  type KnownCertificate,
  knownCertificate,
} from './certificate-path.js';
import type { OcspCheck } from './ocsp-check.js';
import type { CertificateFacts } from './principal.js';
import type { RevocationLists } from './revocation-lists.js';

/** A client's certificate that was found good, and why: it can be judged again as long as its connection lasts. */
export interface ClientCertificate {
  readonly facts: CertificateFacts;
  readonly path: CertificatePath;
}

/** Why one that was good is good no more. */
export type CertificateProblem = 'expired' | 'untrusted' | 'revoked';

/** What came of the client's certificate. */
export type CertificateStatus =
  | { readonly kind: 'none' }
  | { readonly kind: 'verified'; readonly certificate: ClientCertificate }
  | { readonly kind: 'invalid'; readonly reason: string };

/** What bounds client certificates. */
export interface CertificateLimits {
  /** Bytes of DER. */
  readonly max_certificate_size: number;
}

export const noCertificate: CertificateStatus = { kind: 'none' };

/** Certificates whose path is kept: whoever comes back is not studied again. */
const maxKnown = 2_048;

/**
 * Which client certificates count on a listener: those that OpenSSL verified in the handshake, whose path to one of
 * the authorities is short enough, and of which nothing on that path was revoked.
 */
export class ClientTrust {
  private readonly known = new Map<string, ClientCertificate>();

  constructor(
    private readonly authorities: Authorities,
    /** Undefined: none was configured. */
    private readonly lists: RevocationLists | undefined,
    /** Undefined: nobody is asked. */
    private readonly ocsp: OcspCheck | undefined,
    private readonly depth: number,
    private readonly limits: CertificateLimits,
  ) {}

  /** Judges the certificate of a connection whose handshake is done; a promise where its authority must be asked. */
  judge(tls: TLSSocket): CertificateStatus | Promise<CertificateStatus> {
    const shown = tls.getPeerX509Certificate();
    if (shown === undefined) return noCertificate;
    if (!tls.authorized) return invalid(String(tls.authorizationError ?? 'not verified'));
    const now = Date.now();
    const certificate = this.recall(shown, now) ?? this.study(shown, now);
    if (typeof certificate === 'string') return invalid(certificate);
    const problem = this.problemNow(certificate, now) ?? this.ocsp?.problem(certificate.path, now);
    return problem instanceof Promise
      ? problem.then((answer) => statusOf(certificate, answer))
      : statusOf(certificate, problem);
  }

  /**
   * Why a certificate that was good when its client connected is good no more; undefined if it still is. A list that
   * is missing or has run out since is no reason: it says nothing about this client.
   */
  problemSince({ path }: ClientCertificate, now: number): CertificateProblem | undefined {
    if (path.validTo <= now) return 'expired';
    if (!this.authorities.has(path.anchor)) return 'untrusted';
    return path.links.some((link) => this.lists?.revokes(link, now)) ? 'revoked' : undefined;
  }

  /** The same of a certificate whose authority is asked again, once its last answer has run out. */
  async isRevokedBy({ path }: ClientCertificate, now: number): Promise<boolean> {
    return (await this.ocsp?.isRevoked(path, now)) ?? false;
  }

  private problemNow({ path }: ClientCertificate, now: number): string | undefined {
    for (const link of path.links) {
      const problem = this.lists?.problem(link, now);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private recall(shown: X509Certificate, now: number): ClientCertificate | undefined {
    const known = this.known.get(shown.fingerprint256);
    return known !== undefined && now < known.path.validTo ? known : undefined;
  }

  private study(shown: X509Certificate, now: number): ClientCertificate | string {
    const { raw } = shown;
    if (raw.length > this.limits.max_certificate_size) return 'CERT_TOO_LARGE';
    try {
      const leaf = knownCertificate(shown);
      const path = findPath(leaf, () => presentedWith(shown), this.authorities, this.depth, now);
      if (typeof path === 'string') return path;
      const certificate = { facts: factsOf(leaf), path };
      if (this.known.size >= maxKnown) this.known.delete(this.known.keys().next().value ?? '');
      this.known.set(shown.fingerprint256, certificate);
      return certificate;
    } catch (error) {
      if (error instanceof DerError) return `CERT_MALFORMED, ${error.message}`;
      throw error;
    }
  }
}

function statusOf(certificate: ClientCertificate, problem: string | undefined): CertificateStatus {
  return problem === undefined ? { kind: 'verified', certificate } : invalid(`${problem}, ${inWords(certificate)}`);
}

/** Which certificate it is, for the audit. */
export function inWords({ facts }: ClientCertificate): string {
  return `serial ${facts.serialNumber} of ${facts.subject}`;
}

function invalid(reason: string): CertificateStatus {
  return { kind: 'invalid', reason };
}

/** What the client sent beside its certificate, in the order in which it did. */
function presentedWith({ issuerCertificate }: X509Certificate): KnownCertificate[] {
  const presented: KnownCertificate[] = [];
  for (let next = issuerCertificate; next !== undefined; next = next.issuerCertificate)
    presented.push(knownCertificate(next));
  return presented;
}

function factsOf({ certificate, content }: KnownCertificate): CertificateFacts {
  const { subject, issuer, alternativeNames } = content;
  return {
    subject: nameText(subject),
    issuer: nameText(issuer),
    names: {
      cn: valuesOf(subject, attributeTypes.CN),
      o: valuesOf(subject, attributeTypes.O),
      ou: valuesOf(subject, attributeTypes.OU),
      issuer_cn: valuesOf(issuer, attributeTypes.CN),
      san_dns: alternativeNames.dns,
      san_uri: alternativeNames.uri,
      san_email: alternativeNames.email,
    },
    serialNumber: content.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    validFrom: new Date(content.notBefore),
    validTo: new Date(content.notAfter),
  };
}
