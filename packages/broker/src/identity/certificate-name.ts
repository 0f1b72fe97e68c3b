import type { CertificateFacts, CertificateNames } from './principal.js';
import { usernameProblem } from './username.js';

/** What can be taken from a certificate, by the name that the configuration has for it. */
export const certificateFields = [
  'cn',
  'o',
  'ou',
  'san_dns',
  'san_uri',
  'san_email',
  'subject',
  'issuer',
  'issuer_cn',
  'serial',
  'fingerprint',
] as const;

type CertificateField = (typeof certificateFields)[number];

/** A name from a certificate, or why it gives none. */
export type NameFound = { readonly name: string } | { readonly problem: string };

/**
 * The one value of a field. None, or several of one kind, give none: which of two names counts must not be the
 * certificate's choice. A name that stands for many, or is not of its kind, gives none either.
 */
function certificateField(facts: CertificateFacts, field: CertificateField): NameFound {
  switch (field) {
    case 'subject':
    case 'issuer':
    case 'fingerprint':
      return { name: facts[field] };
    case 'serial':
      return { name: facts.serialNumber };
    default:
      return onlyName(field, facts.names[field]);
  }
}

function onlyName(field: keyof CertificateNames, values: readonly string[]): NameFound {
  const [value, ...others] = values;
  if (value === undefined) return { problem: `it has no ${field}` };
  if (others.length > 0) return { problem: `it has ${values.length} ${field}, and none counts more than another` };
  if (value.includes('*')) return { problem: `its ${field} is a pattern` };
  const name = field === 'san_dns' ? value.toLowerCase() : value; // RFC 4343
  return shapes[field]?.test(name) === false ? { problem: `its ${field} is none` } : { name };
}

/** What names of a kind look like: nothing in them could be taken for their end, or for another kind. */
const shapes: Partial<Record<keyof CertificateNames, RegExp>> = {
  san_dns: /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/,
  san_uri: /^[a-z][a-z0-9+.-]*:[!-~]+$/i,
  san_email: /^[!-?A-~]+@[a-z0-9.-]+$/i,
};

/** How a user name, or a client ID, is made of a certificate: text and fields in turn, beginning and ending with text. */
export interface NameTemplate {
  readonly texts: readonly string[];
  readonly fields: readonly CertificateField[];
}

/**
 * Reads `cn`, or a text with fields in it, such as `${cert.cn}.${cert.issuer_cn}`.
 * @returns what is wrong with it, in words, if it is none
 */
export function parseNameTemplate(written: string): NameTemplate | string {
  if (isField(written)) return { texts: ['', ''], fields: [written] };
  const texts = [''];
  const fields: CertificateField[] = [];
  for (const [index, part] of written.split(/\$\{([^}]*)\}/).entries()) {
    if (index % 2 === 0) texts[fields.length] = part;
    else if (part.startsWith('cert.') && isField(part.slice(5))) fields.push(part.slice(5) as CertificateField);
    else return `names \${${part}}, but a field is \${cert.FIELD}, with one of ${certificateFields.join(', ')}`;
  }
  if (fields.length === 0) return `must be one of ${certificateFields.join(', ')}, or a text with \${cert.FIELD} in it`;
  if (texts.slice(1, -1).includes(''))
    return 'needs a text between two fields, or two certificates could make one name';
  const problem = usernameProblem(texts.join('x'));
  return problem === undefined ? { texts, fields } : `makes a user name that ${problem}`;
}

function isField(name: string): name is CertificateField {
  return (certificateFields as readonly string[]).includes(name);
}

/**
 * The name that a template makes of a certificate. No two certificates with different fields make the same name:
 * a field holds no character of the text that follows it, unless it is the last.
 */
export function nameFrom(facts: CertificateFacts, { texts, fields }: NameTemplate): NameFound {
  let name = texts[0] ?? '';
  for (const [index, field] of fields.entries()) {
    const found = certificateField(facts, field);
    if ('problem' in found) return found;
    const value = manyCharacters.has(field) ? escaped(found.name) : found.name;
    const after = texts[index + 1] ?? '';
    const isLast = index === fields.length - 1;
    if (!isLast && [...after].some((character) => value.includes(character)))
      return { problem: `its ${field} holds a character of the text that follows it` };
    name += value + after;
  }
  const problem = usernameProblem(name);
  return problem === undefined ? { name } : { problem: `the name in it ${problem}` };
}

/** Fields that cannot do without characters that a user name must not have. */
const manyCharacters: ReadonlySet<CertificateField> = new Set(['san_uri', 'subject', 'issuer']);

/** Percent-encodes those, and the percent sign: two that differ still do. */
function escaped(value: string): string {
  return value.replace(/[%:+#/$]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
