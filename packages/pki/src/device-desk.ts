import { createHash, type KeyObject } from 'node:crypto';
import type { AuthorityStore } from './authority-store.js';
import { describeCertificate } from './certificate.js';
import { type CertificateRequest, readCertificateRequest } from './certificate-request.js';
import { assertDeviceName } from './device-name.js';
import { PkiError } from './errors.js';
import { Invites } from './invites.js';
import type { ListedCertificate } from './issue-log.js';
import { isPattern } from './name-pattern.js';
import { lifeInDays, startOfValidity } from './validity.js';

/** What a device gets that asked for it. */
export interface GrantedCertificate {
  readonly name: string;
  /** PEM, with the chain up to the root. */
  readonly certificate: string;
  /** In hexadecimal. */
  readonly serialNumber: string;
}

/**
 * Where devices get certificates by themselves. Who asks was proven before, and decides what there is to get: the
 * bearer of a certificate its next one, the bearer of an invite the first one of a device.
 */
export class DeviceDesk {
  readonly invites: Invites;
  /** One enrolment ends before the next begins, so that two cannot take one name. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(readonly store: AuthorityStore) {
    this.invites = new Invites(store.directory);
  }

  /**
   * Issues the next certificate to the bearer of one, for as long as that one was issued for. The name is that of the issue
   * log; the request must be for it, and brings the key.
   *
   * @param fingerprint of the certificate that the device has shown
   * @throws PkiError `pki.unknown_certificate` if it is no device's, has run out or was revoked; `pki.invalid_request`,
   *   `pki.unsupported_key`, `pki.name_refused`, `pki.authority_expired`
   */
  async renew(fingerprint: string, request: Buffer, now: Date): Promise<GrantedCertificate> {
    const shown = await this.store.log.ofFingerprint(fingerprint);
    if (shown?.kind !== 'device' || shown.revocation || shown.notAfter <= now)
      throw new PkiError(
        'pki.unknown_certificate',
        'the certificate shown is no valid one of a device of this authority',
      );
    const { name, publicKey } = await readRequest(request);
    if (name !== shown.name)
      throw new PkiError(
        'pki.name_refused',
        `the request is for ${JSON.stringify(name)}, not ${JSON.stringify(shown.name)}`,
      );
    return granted(name, await this.store.renewDevice({ name, days: lifeInDays(shown), now }, publicKey));
  }

  /**
   * Issues the first certificate of a device to the bearer of an invite.
   *
   * @param isReserved names that no pattern is good for, such as those of users
   * @throws PkiError `pki.invite_refused`, `pki.name_refused`, `pki.name_taken`, `pki.invalid_request`,
   *   `pki.unsupported_key`, `pki.authority_expired`
   */
  enrol(id: string, request: Buffer, now: Date, isReserved: (name: string) => boolean): Promise<GrantedCertificate> {
    const enrolled = this.#last.then(() => this.#enrol(id, request, now, isReserved));
    this.#last = enrolled.catch(() => {});
    return enrolled;
  }

  async #enrol(
    id: string,
    request: Buffer,
    now: Date,
    isReserved: (name: string) => boolean,
  ): Promise<GrantedCertificate> {
    const { name, publicKey } = await readRequest(request);
    assertDeviceName(name);
    const { names, days, spent } = await this.invites.check(id, name, now);
    const before = await this.store.log.ofDevice(name);
    if (!spent.has(name)) assertFree(name, before, names, now, isReserved);
    // First, and on the disk: whoever is killed now may lose an answer, but nobody wins twice.
    const { at } = await this.invites.spend({ id, name, key: hashOf(publicKey), at: now });
    const latest = before.at(-1);
    const terms = { name, days, now };
    // The answer to the same request was lost: what was revoked since is not given again.
    const again = latest !== undefined && latest.notBefore >= secondsOf(startOfValidity(at));
    const certificate = await (again
      ? this.store.renewDevice(terms, publicKey)
      : this.store.certifyDevice(terms, publicKey));
    return granted(name, certificate);
  }
}

function granted(name: string, certificate: string): GrantedCertificate {
  return { name, certificate, serialNumber: describeCertificate(certificate).serialNumber };
}

/** Before anything is spent: who is named in an invite may have had certificates, who only matches a pattern may not. */
function assertFree(
  name: string,
  before: readonly ListedCertificate[],
  names: string,
  now: Date,
  isReserved: (name: string) => boolean,
): void {
  const isTaken = isPattern(names)
    ? before.length > 0 || isReserved(name)
    : before.some(({ revocation, notAfter }) => !revocation && notAfter > now);
  if (isTaken) throw new PkiError('pki.name_taken', `the name ${JSON.stringify(name)} is taken`);
}

function readRequest(request: Buffer): Promise<CertificateRequest> {
  const text = request.toString('latin1');
  return readCertificateRequest(text.includes('-----BEGIN') ? text : request);
}

function hashOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** As a certificate has it. */
function secondsOf(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
