import { describeCertificate } from './certificate.js';
import { REVOCATION_REASONS, type RevocationReason } from './revocation-list.js';

/** What a certificate was issued for. */
const CERTIFICATE_KINDS = ['server', 'device', 'claim', 'responder'] as const;
export type CertificateKind = (typeof CERTIFICATE_KINDS)[number];

/** One line of `issued.jsonl`. */
export interface IssueRecord {
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  /** The common name. */
  readonly name: string;
  readonly kind: CertificateKind;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Whether it followed one that its bearer had. */
  readonly renews?: true;
}

/** One line of `revoked.jsonl`: a certificate was revoked, or else the list was only signed anew. */
export interface RevocationRecord {
  readonly at: Date;
  readonly revoked?: { readonly serialNumber: string; readonly reason: RevocationReason };
}

export function issueRecordOf(certificate: string, kind: CertificateKind, renews = false): IssueRecord {
  const { serialNumber, commonName = '', notBefore, notAfter, fingerprint } = describeCertificate(certificate);
  const record = { serialNumber, name: commonName, kind, notBefore, notAfter, fingerprint };
  return renews ? { ...record, renews } : record;
}

/** undefined if the value is no such record. */
export function parseIssueRecord(value: unknown): IssueRecord | undefined {
  if (!isObject(value)) return undefined;
  const { serialNumber, name, fingerprint } = value;
  const kind = CERTIFICATE_KINDS.find((known) => known === value.kind);
  const [notBefore, notAfter] = [parseDate(value.notBefore), parseDate(value.notAfter)];
  if (!isHex(serialNumber) || typeof name !== 'string' || !isHex(fingerprint)) return undefined;
  if (!notBefore || !notAfter || !kind) return undefined;
  const record = { serialNumber, name, kind, notBefore, notAfter, fingerprint };
  return value.renews === true ? { ...record, renews: true } : record;
}

/** undefined if the value is no such record. */
export function parseRevocationRecord(value: unknown): RevocationRecord | undefined {
  if (!isObject(value)) return undefined;
  const { revoked } = value;
  const at = parseDate(value.at);
  if (!at) return undefined;
  if (revoked === undefined) return { at };
  if (!isObject(revoked) || !isHex(revoked.serialNumber)) return undefined;
  const reason = REVOCATION_REASONS.find((known) => known === revoked.reason);
  return reason && { at, revoked: { serialNumber: revoked.serialNumber, reason } };
}

type Field = keyof IssueRecord | keyof RevocationRecord | 'reason';

export function isObject<Name extends string = Field>(value: unknown): value is { readonly [key in Name]?: unknown } {
  return typeof value === 'object' && value !== null;
}

export function isHex(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]+$/.test(value);
}

export function parseDate(value: unknown): Date | undefined {
  const date = typeof value === 'string' ? new Date(value) : undefined;
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}
