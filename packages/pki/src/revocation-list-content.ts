import type { KeyObject } from 'node:crypto';
import { oid as certificateOid, type Extension, readExtensions } from './certificate-content.js';
import { DerCursor, DerError, isTrue, Tag, time } from './der.js';
import { readName } from './distinguished-name.js';
import { isSignedBy, readSigned, type Signed } from './signature.js';

/** Extensions of lists (RFC 5280 §5.2). */
const oid = {
  ...certificateOid,
  deltaIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
} as const;

/**
 * A certificate revocation list (RFC 5280 §5), as it is asked: an entry of a hundred thousand costs some 70 bytes.
 * Delta lists, indirect ones and parts of one are refused when it is read: what it does not name is not revoked.
 */
export class RevocationListContent {
  private constructor(
    /** DER of the issuer's name, one character a byte. */
    readonly issuer: string,
    /** Milliseconds since 1970. */
    readonly thisUpdate: number,
    /** Undefined: it does not say. */
    readonly nextUpdate: number | undefined,
    /** Whose certificates it speaks of. */
    readonly scope: 'all' | 'authorities' | 'others',
    /** Serial numbers, one character a byte: a third of what hexadecimal takes. */
    private readonly serials: ReadonlySet<string>,
    private signature: Signed | undefined,
  ) {}

  /** Whose signature was found good: the bytes that were signed are let go then. */
  private signer: KeyObject | undefined = undefined;

  /**
   * Reads one in DER. Checks neither signature nor date.
   * @throws DerError if it is none, or of a kind that cannot be used
   */
  static read(der: Buffer): RevocationListContent {
    const outer = new DerCursor(der).next(Tag.sequence).inside();
    const signature = readSigned(outer);
    const body = new DerCursor(signature.signed).next(Tag.sequence).inside();
    body.optional(Tag.integer); // version
    body.next(Tag.sequence); // the algorithm of the signature
    const issuer = readName(body).der.toString('latin1');
    const thisUpdate = time(body);
    const nextUpdate = body.peek === Tag.utcTime || body.peek === Tag.generalizedTime ? time(body) : undefined;
    const serials = new Set<string>();
    if (body.optional(Tag.sequence) !== undefined) readEntries(body.inside(), serials);
    const scope = body.optional(0xa0) === undefined ? 'all' : scopeOf(readExtensions(body.inside()));
    return new RevocationListContent(issuer, thisUpdate, nextUpdate, scope, serials, signature);
  }

  get size(): number {
    return this.serials.size;
  }

  /** Whether it names a certificate, by its serial number in hexadecimal. */
  revokes(serialNumber: string): boolean {
    return this.serials.has(Buffer.from(serialNumber, 'hex').toString('latin1'));
  }

  /** Whether the authority with this key signed it. */
  isSignedBy(key: KeyObject): boolean {
    if (this.signer !== undefined) return this.signer.equals(key);
    if (this.signature === undefined || !isSignedBy(this.signature, key)) return false;
    this.signer = key;
    this.signature = undefined;
    return true;
  }

  covers(isAuthority: boolean): boolean {
    return this.scope === 'all' || (this.scope === 'authorities') === isAuthority;
  }
}

function readEntries(list: DerCursor, serials: Set<string>): void {
  const entry = new DerCursor(list.bytes);
  const extensions = new DerCursor(list.bytes);
  const extension = new DerCursor(list.bytes);
  while (!list.done) {
    entry.enter(list.next(Tag.sequence)).next(Tag.integer);
    let { start } = entry;
    while (start < entry.end - 1 && list.bytes[start] === 0) start++; // a sign octet is no part of the number
    serials.add(list.bytes.toString('latin1', start, entry.end));
    entry.next(); // when
    if (entry.done) continue;
    // Reason and invalidity date change nothing; who else issued what is revoked would, and is critical.
    extensions.enter(entry.next(Tag.sequence));
    while (!extensions.done) {
      extension.enter(extensions.next(Tag.sequence)).next(Tag.objectIdentifier);
      if (extension.optional(Tag.boolean)) throw new DerError('an entry has a critical extension');
    }
  }
}

/** What the extensions leave of the list's scope (RFC 5280 §5.2.5). */
function scopeOf(extensions: Map<string, Extension>): RevocationListContent['scope'] {
  if (extensions.has(oid.deltaIndicator)) throw new DerError('it holds changes to another list only');
  const point = extensions.get(oid.issuingDistributionPoint);
  extensions.delete(oid.issuingDistributionPoint);
  for (const [type, { critical }] of extensions) {
    if (critical) throw new DerError(`it has the critical extension ${type}, which is not known`);
  }
  if (point === undefined) return 'all';
  const fields = point.value.next(Tag.sequence).inside();
  let scope: RevocationListContent['scope'] = 'all';
  while (!fields.done) {
    const tag = fields.peek;
    const isSet = isTrue(fields.next());
    if (tag === 0x81 && isSet) scope = 'others';
    else if (tag === 0x82 && isSet) scope = 'authorities';
    else if (tag !== 0x81 && tag !== 0x82)
      throw new DerError('it is a part of a list, or speaks for other authorities');
  }
  return scope;
}
