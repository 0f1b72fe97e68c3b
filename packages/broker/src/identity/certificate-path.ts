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
 * @param presented what the client sent beside its certificate
 * @param depth how many intermediate authorities there may be
 * @returns OpenSSL's word for what is wrong, if there is no such path
 */
export function findPath(
  leaf: KnownCertificate,
  presented: readonly KnownCertificate[],
  authorities: Authorities,
  depth: number,
  now: number,
): CertificatePath | string {
  const others = presented.filter(({ content }) => content.isAuthority);
  const links: Link[] = [];
  let validTo = leaf.content.notAfter;
  for (let current = leaf; ; ) {
    const { serialNumber, ocspResponders, issuer: issuerName, subject } = current.content;
    const name = nameOf(issuerName);
    if (subject.der.equals(issuerName.der)) {
      const { id } = asAuthority(current);
      if (authorities.has(id)) return { links, anchor: id, validTo };
    }
    if (links.length > depth) return 'CERT_CHAIN_TOO_LONG';
    const issuer = [...authorities.named(name), ...others.filter(({ content }) => nameOf(content.subject) === name)]
      .filter(({ content }) => content.notBefore <= now && now < content.notAfter)
      .slice(0, maxCandidates)
      .find(({ certificate }) => current.certificate.verify(certificate.publicKey));
    if (issuer === undefined) return 'UNABLE_TO_GET_ISSUER_CERT';
    links.push({ serialNumber, isAuthority: current !== leaf, ocspResponders, issuer: asAuthority(issuer) });
    validTo = Math.min(validTo, issuer.content.notAfter);
    current = issuer;
  }
}

/** A name as a key: equal names are equal byte for byte (RFC 5280 §4.1.2.4, §4.1.2.6). */
function nameOf({ der }: { readonly der: Buffer }): string {
  return der.toString('latin1');
}
