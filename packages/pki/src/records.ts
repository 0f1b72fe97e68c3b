import { describeCertificate } from './certificate.js';
import { REVOCATION_REASONS, type RevocationReason } from './revocation-list.js';

/** What a certificate was issued for. */
export type CertificateKind = 'server' | 'device';

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
}

/** One line of `revoked.jsonl`: a certificate was revoked, or else the list was only signed anew. */
export interface RevocationRecord {
  readonly at: Date;
  readonly revoked?: { readonly serialNumber: string; readonly reason: RevocationReason };
}

export function issueRecordOf(certificate: string, kind: CertificateKind): IssueRecord {
  const { serialNumber, commonName = '', notBefore, notAfter, fingerprint } = describeCertificate(certificate);
  return { serialNumber, name: commonName, kind, notBefore, notAfter, fingerprint };
}

/** undefined if the value is no such record. */
export function parseIssueRecord(value: unknown): IssueRecord | undefined {
  if (!isObject(value)) return undefined;
  const { serialNumber, name, kind, fingerprint } = value;
  const [notBefore, notAfter] = [parseDate(value.notBefore), parseDate(value.notAfter)];
  if (!isHex(serialNumber) || typeof name !== 'string' || !isHex(fingerprint)) return undefined;
  if (!notBefore || !notAfter || (kind !== 'server' && kind !== 'device')) return undefined;
  return { serialNumber, name, kind, notBefore, notAfter, fingerprint };
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

function isObject(value: unknown): value is { readonly [key in Field]?: unknown } {
  return typeof value === 'object' && value !== null;
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]+$/.test(value);
}

function parseDate(value: unknown): Date | undefined {
  const date = typeof value === 'string' ? new Date(value) : undefined;
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}
