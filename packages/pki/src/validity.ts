import { describeCertificate } from './certificate.js';
import { PkiError } from './errors.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Certificates begin an hour early: a device whose clock is slow can use its certificate at once. */
export function startOfValidity(now: Date): Date {
  return new Date(now.getTime() - HOUR);
}

/**
 * When a certificate of `days` days (fractions allowed) issued at `now` ends. It never outlives its authority, as no
 * chain would hold after that (RFC 5280 §6.1.3 (a)(2)).
 *
 * @throws PkiError `pki.invalid_days`, `pki.authority_expired`
 */
export function endOfValidity(authorityCertificate: string, now: Date, days: number): Date {
  if (!(days > 0)) throw new PkiError('pki.invalid_days', `${days} is not a number of days above 0`);
  const authorityEnd = describeCertificate(authorityCertificate).notAfter;
  if (authorityEnd <= now) {
    throw new PkiError('pki.authority_expired', `the authority's certificate ended on ${authorityEnd.toISOString()}`);
  }
  return new Date(Math.min(now.getTime() + days * DAY, authorityEnd.getTime()));
}

/** For how many days, fractions allowed, a certificate was issued that is valid from {@link startOfValidity} on. */
export function lifeInDays({ notBefore, notAfter }: { readonly notBefore: Date; readonly notAfter: Date }): number {
  return (notAfter.getTime() - notBefore.getTime() - HOUR) / DAY;
}
