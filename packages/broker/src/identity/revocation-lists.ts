import { nameText, type RevocationListContent } from '@moat/pki';
import type { Authority, Link } from './certificate-path.js';

/** What becomes of certificates whose authority's newest list has run out. */
export type ExpiredListRule = 'refuse' | 'warn';

/** Milliseconds that the clock of whoever signed a list may be fast. */
const skew = 300_000;

/**
 * Revocation lists of several authorities, asked about one certificate at a time. Of an authority's lists the newest
 * counts whose signature is good. Where there is none, its certificates are refused: a list that is missing, forged
 * or meant for others must not let anybody in.
 */
export class RevocationLists {
  private readonly byName = new Map<string, RevocationListContent[]>();
  /** Those of one authority whose signature is good, newest first. */
  private readonly byAuthority = new Map<string, readonly RevocationListContent[]>();
  private readonly reported = new Set<RevocationListContent>();

  constructor(
    lists: readonly RevocationListContent[],
    private readonly expired: ExpiredListRule,
    /** Told once of each list that has run out, when it is read or needed. */
    private readonly hasExpired: (issuer: string, nextUpdate: Date) => void,
  ) {
    for (const list of lists) this.byName.set(list.issuer, [...(this.byName.get(list.issuer) ?? []), list]);
  }

  /** Checks the lists of these authorities now: the first client is not to wait for it, nor the operator for the client. */
  prepare(authorities: readonly Authority[], now: number): void {
    for (const issuer of authorities) {
      for (const isAuthority of [true, false]) this.hasRunOut(issuer, this.listFor({ issuer, isAuthority }, now), now);
    }
  }

  /** Whether the newest list names it, be that list still good or not. */
  revokes(link: Link, now: number): boolean {
    return this.listFor(link, now)?.revokes(link.serialNumber) ?? false;
  }

  /** Why the certificate does not count, in OpenSSL's words; undefined if it does. */
  problem(link: Link, now: number): string | undefined {
    const list = this.listFor(link, now);
    if (list === undefined) return 'UNABLE_TO_GET_CRL';
    if (list.revokes(link.serialNumber)) return 'CERT_REVOKED';
    return this.hasRunOut(link.issuer, list, now) && this.expired === 'refuse' ? 'CRL_HAS_EXPIRED' : undefined;
  }

  private hasRunOut({ content }: Authority, list: RevocationListContent | undefined, now: number): boolean {
    if (list?.nextUpdate === undefined || now <= list.nextUpdate) return false;
    if (!this.reported.has(list)) this.hasExpired(nameText(content.subject), new Date(list.nextUpdate));
    this.reported.add(list);
    return true;
  }

  private listFor(
    { issuer, isAuthority }: Pick<Link, 'issuer' | 'isAuthority'>,
    now: number,
  ): RevocationListContent | undefined {
    return this.listsOf(issuer).find((list) => list.covers(isAuthority) && list.thisUpdate <= now + skew);
  }

  private listsOf(issuer: Authority): readonly RevocationListContent[] {
    let lists = this.byAuthority.get(issuer.id);
    if (lists === undefined) {
      lists = (this.byName.get(issuer.content.subject.der.toString('latin1')) ?? [])
        .filter((list) => list.isSignedBy(issuer.publicKey))
        .sort((one, other) => other.thisUpdate - one.thisUpdate);
      this.byAuthority.set(issuer.id, lists);
    }
    return lists;
  }
}
