import type { KeyObject, X509Certificate } from 'node:crypto';
import { type CertificateContent, readCertificate } from '@moat/pki';

/** A certificate, read. */
export interface KnownCertificate {
  readonly certificate: X509Certificate;
  readonly content: CertificateContent;
}

/** One that may have signed others; `id` is its name with its key, which a renewed certificate keeps. */
export interface Authority extends KnownCertificate {
  readonly id: string;
  readonly publicKey: KeyObject;
}

/** Who vouches for a certificate on a path. */
export interface Link {
  readonly serialNumber: string;
  /** Whether the certificate is that of an intermediate authority. */
  readonly isAuthority: boolean;
  /** Where the certificate says that its issuer answers for it. */
  readonly ocspResponders: readonly string[];
  readonly issuer: Authority;
}

/** The way from a client's certificate to an authority that the operator trusts. */
export interface CertificatePath {
  /** From the client's certificate on; empty where that one itself is trusted. */
  readonly links: readonly Link[];
  /** The {@link Authority.id} it ends in. */
  readonly anchor: string;
  /** When the first certificate on it runs out, in milliseconds since 1970. */
  readonly validTo: number;
}

/** @throws DerError */
export function knownCertificate(certificate: X509Certificate): KnownCertificate {
  return { certificate, content: readCertificate(certificate.raw) };
}

export function asAuthority({ certificate, content }: KnownCertificate): Authority {
  const id = Buffer.concat([content.subject.der, content.publicKeyInfo]).toString('latin1');
  return { certificate, content, id, publicKey: certificate.publicKey };
}

/** The authorities of a listener, found by name or by `id`. */
export class Authorities {
  private readonly byName = new Map<string, Authority[]>();
  private readonly ids = new Set<string>();

  constructor(readonly all: readonly Authority[]) {
    for (const authority of all) {
      this.ids.add(authority.id);
      const name = nameOf(authority.content.subject);
      this.byName.set(name, [...(this.byName.get(name) ?? []), authority]);
    }
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  named(name: string): readonly Authority[] {
    return this.byName.get(name) ?? [];
  }
}

/** How many certificates of the right name are tried as the issuer of one: whoever shows more shows them for no good. */
const maxCandidates = 8;

/**
 * Finds the path of a certificate whose handshake OpenSSL has verified already, by the same preference: what the
 * operator trusts before what the client sent along. OpenSSL tells nobody the path that it took, and without one
 * neither depth nor revocation can be judged. Each signature on it is checked once more.
 *
 * @param presented what the client sent beside its certificate; asked for when it is needed
 * @param depth how many intermediate authorities there may be
 * @returns OpenSSL's word for what is wrong, if there is no such path
 */
export function findPath(
  leaf: KnownCertificate,
  presented: () => readonly KnownCertificate[],
  authorities: Authorities,
  depth: number,
  now: number,
): CertificatePath | string {
  const links: Link[] = [];
  let validTo = leaf.content.notAfter;
  let others: readonly KnownCertificate[] | undefined;
  for (let current = leaf; ; ) {
    const { serialNumber, ocspResponders, issuer: issuerName, subject } = current.content;
    if (subject.der.equals(issuerName.der)) {
      const { id } = asAuthority(current);
      if (authorities.has(id)) return { links, anchor: id, validTo };
    }
    if (links.length > depth) return 'CERT_CHAIN_TOO_LONG';
    let issuer = issuerOf(current, authorities.named(nameOf(issuerName)), now);
    if (issuer === undefined) {
      others ??= presented();
      issuer = issuerOf(current, others, now);
    }
    if (issuer === undefined) return 'UNABLE_TO_GET_ISSUER_CERT';
    links.push({ serialNumber, isAuthority: current !== leaf, ocspResponders, issuer });
    validTo = Math.min(validTo, issuer.content.notAfter);
    current = issuer;
  }
}

function issuerOf(
  { certificate, content }: KnownCertificate,
  candidates: readonly (KnownCertificate | Authority)[],
  now: number,
): Authority | undefined {
  let tried = 0;
  for (const candidate of candidates) {
    const { subject, isAuthority, notBefore, notAfter } = candidate.content;
    if (!content.issuer.der.equals(subject.der) || notBefore > now || notAfter <= now) continue;
    // A root of old has no basic constraints; that the operator trusts it makes up for them.
    if (!isAuthority && !('id' in candidate)) continue;
    if (tried++ === maxCandidates) return undefined;
    const authority = 'id' in candidate ? candidate : asAuthority(candidate);
    if (certificate.verify(authority.publicKey)) return authority;
  }
  return undefined;
}

/** A name as a key: equal names are equal byte for byte (RFC 5280 §4.1.2.4, §4.1.2.6). */
function nameOf({ der }: { readonly der: Buffer }): string {
  return der.toString('latin1');
}
