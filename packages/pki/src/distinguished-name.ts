import { type DerCursor, objectIdentifier, Tag, text } from './der.js';

/** One attribute of a name (RFC 5280 §4.1.2.4): its type as OID, and its text, or `#` and hexadecimal DER if it is none. */
interface NameAttribute {
  readonly type: string;
  readonly value: string;
  /** Whether it belongs to the same relative distinguished name as the one before. */
  readonly joined: boolean;
}

/** A distinguished name. Two that are equal have the same `der` (RFC 5280 §4.1.2.4, §4.1.2.6). */
export interface DistinguishedName {
  readonly der: Buffer;
  /** In the order of the certificate. */
  readonly attributes: readonly NameAttribute[];
}

/** Types with a short name in RFC 4514 §3, and what else stands in certificates of devices. */
export const attributeTypes = {
  CN: '2.5.4.3',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  C: '2.5.4.6',
  STREET: '2.5.4.9',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
  serialNumber: '2.5.4.5',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;

const shortNames = new Map<string, string>(Object.entries(attributeTypes).map(([name, type]) => [type, name]));

/** Reads the name that comes next. */
export function readName(cursor: DerCursor): DistinguishedName {
  const der = cursor.next(Tag.sequence).whole;
  const attributes: NameAttribute[] = [];
  const names = cursor.inside();
  while (!names.done) {
    const relative = names.next(Tag.set).inside();
    for (let joined = false; !relative.done; joined = true) {
      const attribute = relative.next(Tag.sequence).inside();
      const type = objectIdentifier(attribute.next(Tag.objectIdentifier));
      const tag = attribute.peek;
      const { content, whole } = attribute.next();
      attributes.push({ type, value: text(tag, content) ?? `#${whole.toString('hex')}`, joined });
    }
  }
  return { der, attributes };
}

/** The values of a type, such as `attributeTypes.CN`. */
export function valuesOf({ attributes }: DistinguishedName, type: string): string[] {
  return attributes.filter((attribute) => attribute.type === type).map(({ value }) => value);
}

/** The name as RFC 4514 writes it, the most specific part first: `CN=pump-7,OU=plant 4,O=Example`. */
export function nameText({ attributes }: DistinguishedName): string {
  const parts: string[] = [];
  for (const { type, value, joined } of attributes) {
    const part = `${shortNames.get(type) ?? type}=${escaped(value)}`;
    if (joined) parts.push(`${parts.pop()}+${part}`);
    else parts.push(part);
  }
  return parts.reverse().join(',');
}

/** RFC 4514 §2.4. */
function escaped(value: string): string {
  return value
    .replace(/[\\",+;<>]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ #]/, '\\$&')
    .replace(/(?<=.) $/, '\\ ');
}
