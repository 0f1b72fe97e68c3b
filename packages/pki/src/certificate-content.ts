import { DerCursor, DerError, isTrue, objectIdentifier, serialNumber, Tag, text, time } from './der.js';
import { type DistinguishedName, readName } from './distinguished-name.js';

/** Subject alternative names by their kind (RFC 5280 §4.2.1.6); each is whole, whatever characters it holds. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

/** What a certificate says (RFC 5280 §4.1), taken from its DER element by element. */
export interface CertificateContent {
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly alternativeNames: AlternativeNames;
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Buffer;
  /** Whether basic constraints say that it is an authority's, and how many other ones may follow below it. */
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
  /** The first octet of the bits of RFC 5280 §4.2.1.3; undefined where the extension is missing, which allows every use. */
  readonly keyUsage: number | undefined;
  /** Object identifiers; undefined where the extension is missing, which allows every use. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** What it names its key by (RFC 5280 §4.2.1.2). */
  readonly subjectKeyIdentifier: Buffer | undefined;
  /** Where its authority answers OCSP requests (RFC 5280 §4.2.2.1). */
  readonly ocspResponders: readonly string[];
}

const noNames: AlternativeNames = { dns: [], uri: [], email: [] };

/**
 * Reads a certificate in DER. Checks no signature and no date.
 * @throws DerError if it is none, says something twice, or has a name that is not of the encoding it claims
 */
export function readCertificate(der: Buffer): CertificateContent {
  const body = new DerCursor(der).next(Tag.sequence).inside().next(Tag.sequence).inside();
  body.optional(0xa0); // version
  const serial = serialNumber(body.next(Tag.integer));
  body.next(Tag.sequence); // the algorithm of the signature
  const issuer = readName(body);
  const validity = body.next(Tag.sequence).inside();
  const [notBefore, notAfter] = [time(validity), time(validity)];
  const subject = readName(body);
  const publicKeyInfo = body.next(Tag.sequence).whole;
  body.optional(0x81); // unique identifiers
  body.optional(0x82);
  const extensions = body.optional(0xa3) === undefined ? new Map<string, Extension>() : readExtensions(body.inside());
  const names = extensions.get(oid.alternativeNames);
  const usage = extensions.get(oid.extendedKeyUsage);
  const bits = extensions.get(oid.keyUsage);
  const constraints = extensions.get(oid.basicConstraints);
  const keyIdentifier = extensions.get(oid.subjectKeyIdentifier);
  const access = extensions.get(oid.authorityInformationAccess);
  return {
    serialNumber: serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKeyInfo,
    alternativeNames: names === undefined ? noNames : readAlternativeNames(names.value),
    ...(constraints === undefined ? notAnAuthority : readConstraints(constraints.value)),
    keyUsage: bits && (bits.value.next(Tag.bitString).content[1] ?? 0),
    extendedKeyUsage: usage === undefined ? undefined : readUsages(usage.value),
    subjectKeyIdentifier: keyIdentifier?.value.next(Tag.octetString).content,
    ocspResponders: access === undefined ? [] : readResponders(access.value),
  };
}

/** Extensions of certificates and lists. */
export const oid = {
  subjectKeyIdentifier: '2.5.29.14',
  alternativeNames: '2.5.29.17',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
  ocsp: '1.3.6.1.5.5.7.48.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;

/** One extension: `value` stands before the DER inside of it. */
export interface Extension {
  readonly critical: boolean;
  readonly value: DerCursor;
}

/** Reads the extensions that come next, by object identifier; each may stand there once (RFC 5280 §4.2). */
export function readExtensions(cursor: DerCursor): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  const list = cursor.next(Tag.sequence).inside();
  while (!list.done) {
    const fields = list.next(Tag.sequence).inside();
    const type = objectIdentifier(fields.next(Tag.objectIdentifier));
    const critical = isMarked(fields);
    if (extensions.has(type)) throw new DerError(`the extension ${type} twice`);
    extensions.set(type, { critical, value: fields.next(Tag.octetString).inside() });
  }
  return extensions;
}

/** Tags of GeneralName. */
const general = { email: 0x81, dns: 0x82, uri: 0x86 } as const;

function readAlternativeNames(cursor: DerCursor): AlternativeNames {
  const names = { dns: [] as string[], uri: [] as string[], email: [] as string[] };
  const list = cursor.next(Tag.sequence).inside();
  while (!list.done) {
    const tag = list.peek;
    const { content } = list.next();
    if (tag === general.dns) names.dns.push(ascii(content));
    else if (tag === general.uri) names.uri.push(ascii(content));
    else if (tag === general.email) names.email.push(ascii(content));
  }
  return names;
}

function readResponders(cursor: DerCursor): string[] {
  const responders: string[] = [];
  const list = cursor.next(Tag.sequence).inside();
  while (!list.done) {
    const description = list.next(Tag.sequence).inside();
    const method = objectIdentifier(description.next(Tag.objectIdentifier));
    const tag = description.peek;
    const { content } = description.next();
    if (method === oid.ocsp && tag === general.uri) responders.push(ascii(content));
  }
  return responders;
}

/** An IA5String in a GeneralName; a byte beyond ASCII is a trick, or a mistake that nobody can read one way only. */
function ascii(content: Buffer): string {
  const value = text(Tag.ia5String, content);
  if (value === undefined) throw new DerError('a name with bytes that are not ASCII');
  return value;
}

const notAnAuthority = { isAuthority: false, pathLength: undefined };

function readConstraints(cursor: DerCursor): Pick<CertificateContent, 'isAuthority' | 'pathLength'> {
  const fields = cursor.next(Tag.sequence).inside();
  const isAuthority = isMarked(fields);
  const length = fields.optional(Tag.integer);
  return { isAuthority, pathLength: length === undefined ? undefined : Number.parseInt(serialNumber(length), 16) };
}

function isMarked(fields: DerCursor): boolean {
  const mark = fields.optional(Tag.boolean);
  return mark !== undefined && isTrue(mark);
}

function readUsages(cursor: DerCursor): string[] {
  const usages: string[] = [];
  const list = cursor.next(Tag.sequence).inside();
  while (!list.done) usages.push(objectIdentifier(list.next(Tag.objectIdentifier)));
  return usages;
}
