import { createPublicKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { type Authority, parsePrivateKey } from './authority.js';
import { FILES } from './authority-files.js';
import { describeCertificate, needsRenewal } from './certificate.js';
import { assertDeviceName } from './device-name.js';
import { PkiError } from './errors.js';
import { inFile, PUBLIC, readIfThere, SECRET, writeAuthorityFile } from './files.js';
import {
  certifyClaim,
  certifyDevice,
  certifyResponder,
  type IssuedCertificate,
  issueServerCertificate,
} from './issue.js';
import { IssueLog, type ListedCertificate } from './issue-log.js';
import { type IssueRecord, issueRecordOf } from './records.js';
import type { RevocationReason } from './revocation-list.js';
import { Revocations, type SignedList } from './revocations.js';
import { lifeInDays } from './validity.js';
import { generatePrivateKey, privateKeyPem } from './x509.js';

/** What to revoke: every valid certificate of a device, or one certificate of any kind. */
export type RevocationTarget = { readonly name: string } | { readonly serialNumber: string };

/** What a device's certificate says, and from when on. */
export interface DeviceTerms {
  readonly name: string;
  /** Fractions allowed. */
  readonly days: number;
  readonly now: Date;
}

/**
 * An authority and its records in a directory. Several processes may use the same directory at once.
 *
 * Invariant: a certificate stands in the issue log before anyone gets to see it, so what is not listed was never issued.
 */
export class AuthorityStore {
  readonly #revocations: Revocations;
  /** What was issued, and what has become of it. */
  readonly log: IssueLog;

  constructor(
    readonly directory: string,
    readonly authority: Authority,
  ) {
    this.log = new IssueLog(directory);
    this.#revocations = new Revocations(directory, authority);
  }

  /** PEM of what clients trust. */
  get trusted(): string {
    return this.authority.root ?? this.authority.certificate;
  }

  /**
   * Issues the server's certificate and puts it in place of the one before. The key stays if there is one, so that
   * certificate and key match at every moment; remove `server.key` to have a new one made.
   *
   * @throws PkiError `pki.invalid_host`, `pki.invalid_days`, `pki.authority_expired`, `pki.invalid_file`
   */
  async issueServer(options: { hosts: readonly string[]; days: number; now: Date }): Promise<IssueRecord> {
    const kept = await this.#keyIn('serverKey');
    const issued = await issueServerCertificate(this.authority, kept ? { ...options, privateKey: kept } : options);
    const record = issueRecordOf(issued.certificate, 'server', kept !== undefined);
    await this.log.add(record);
    if (!kept) await writeAuthorityFile(this.#path('serverKey'), privateKeyPem(issued.privateKey), SECRET);
    await writeAuthorityFile(this.#path('serverCertificate'), issued.certificate, PUBLIC);
    return record;
  }

  /**
   * The server's certificate, if this authority has issued it, less than a third of its life is left at `now`, and a
   * new one would last longer.
   *
   * @returns PEM
   * @throws PkiError `pki.invalid_file`
   */
  async serverDue(now: Date): Promise<string | undefined> {
    const path = this.#path('serverCertificate');
    const pem = await readIfThere(path);
    if (pem === undefined) return undefined;
    const { fingerprint, notAfter } = inFile(path, () => describeCertificate(pem));
    if (!needsRenewal(pem, now) || notAfter >= describeCertificate(this.authority.certificate).notAfter)
      return undefined;
    return (await this.listIssued()).some((one) => one.fingerprint === fingerprint) ? pem : undefined;
  }

  /**
   * Issues a device's certificate. Its private key is in the answer and nowhere else.
   *
   * @throws PkiError as {@link certifyDevice}
   */
  async issueDevice(terms: DeviceTerms): Promise<IssuedCertificate> {
    const privateKey = await generatePrivateKey();
    return { certificate: await this.certifyDevice(terms, createPublicKey(privateKey)), privateKey };
  }

  /**
   * Issues the certificate of a device that made its key itself.
   *
   * @returns PEM
   * @throws PkiError `pki.name_taken` if a certificate of that name is valid; `pki.invalid_name`, `pki.invalid_days`,
   *   `pki.authority_expired`, `pki.invalid_file`
   */
  async certifyDevice(terms: DeviceTerms, publicKey: KeyObject): Promise<string> {
    assertDeviceName(terms.name);
    const holder = (await this.log.ofDevice(terms.name)).find((one) => !one.revocation && one.notAfter > terms.now);
    if (holder) {
      throw new PkiError(
        'pki.name_taken',
        `the device "${terms.name}" has a certificate that is valid until ${holder.notAfter.toISOString()}`,
        { hint: 'renew it, or revoke it first, or choose another name' },
      );
    }
    return this.#certify(terms, publicKey);
  }

  /**
   * Issues the next certificate of a device that has one, which stays good until it ends: there is no moment at which
   * the device has none. What is revoked is not renewed.
   *
   * @returns PEM
   * @throws PkiError `pki.unknown_certificate`, `pki.invalid_days`, `pki.authority_expired`, `pki.invalid_file`
   */
  async renewDevice(terms: DeviceTerms, publicKey: KeyObject): Promise<string> {
    const latest = (await this.log.ofDevice(terms.name)).at(-1);
    if (!latest) throw unknown({ name: terms.name });
    if (latest.revocation) {
      throw new PkiError('pki.unknown_certificate', `the certificate of "${terms.name}" was revoked`, {
        hint: `to let it in again: moat device add ${terms.name}`,
      });
    }
    return this.#certify(terms, publicKey, true);
  }

  /** The same with a key made here, which is in the answer and nowhere else. */
  async renewDeviceWithNewKey(terms: DeviceTerms): Promise<IssuedCertificate> {
    const privateKey = await generatePrivateKey();
    return { certificate: await this.renewDevice(terms, createPublicKey(privateKey)), privateKey };
  }

  /** Issues the claim certificate of an invite, with a key that is in the answer and nowhere else. */
  async issueClaim(terms: {
    readonly id: string;
    readonly days: number;
    readonly now: Date;
  }): Promise<IssuedCertificate> {
    const privateKey = await generatePrivateKey();
    const certificate = await certifyClaim(this.authority, createPublicKey(privateKey), terms);
    await this.log.add(issueRecordOf(certificate, 'claim'));
    return { certificate, privateKey };
  }

  /**
   * Issues the certificate of an OCSP responder (RFC 6960 §4.2.2.2), so that answers need not be signed with the
   * authority's key. The key stays if there is one, so that certificate and key match at every moment.
   *
   * @throws PkiError `pki.invalid_days`, `pki.authority_expired`, `pki.invalid_file`
   */
  async issueResponder({ days, now }: { readonly days: number; readonly now: Date }): Promise<IssueRecord> {
    const kept = await this.#keyIn('responderKey');
    const privateKey = kept ?? (await generatePrivateKey());
    const certificate = await certifyResponder(this.authority, createPublicKey(privateKey), { days, now });
    const record = issueRecordOf(certificate, 'responder', kept !== undefined);
    await this.log.add(record);
    if (!kept) await writeAuthorityFile(this.#path('responderKey'), privateKeyPem(privateKey), SECRET);
    await writeAuthorityFile(this.#path('responderCertificate'), certificate, PUBLIC);
    return record;
  }

  /**
   * Renews that of a responder if there is one, with less than a third of its life left at `now`; for as long as before.
   *
   * @returns whether it did
   */
  async refreshResponder(now: Date): Promise<boolean> {
    const pem = await readIfThere(this.#path('responderCertificate'));
    if (pem === undefined || !needsRenewal(pem, now)) return false;
    await this.issueResponder({ days: lifeInDays(describeCertificate(pem)), now });
    return true;
  }

  /**
   * Revokes, and signs the list anew. To revoke again what is revoked changes nothing but the list's dates.
   *
   * @returns what is newly revoked
   * @throws PkiError `pki.unknown_certificate` if no such certificate was issued; `pki.invalid_file`
   */
  async revoke(
    target: RevocationTarget,
    { now, reason = 'privilegeWithdrawn' }: { now: Date; reason?: RevocationReason },
  ): Promise<ListedCertificate[]> {
    const meant = (await this.listIssued()).filter((one) => isMeant(one, target));
    if (meant.length === 0) throw unknown(target);
    const fresh = meant.filter(({ revocation, notAfter }) => !revocation && notAfter > now);
    await this.#revocations.publish(
      fresh.map(({ serialNumber }) => ({ serialNumber, reason })),
      now,
    );
    return fresh;
  }

  /**
   * Signs the revocation list anew, whatever is left of its life.
   *
   * @throws PkiError `pki.invalid_file`
   */
  async signRevocationList(now: Date): Promise<SignedList> {
    return this.#revocations.publish([], now);
  }

  /**
   * Signs the revocation list anew if less than half of its life is left at `now`.
   *
   * @returns whether it did
   * @throws PkiError `pki.invalid_file`
   */
  async refreshRevocationList(now: Date): Promise<boolean> {
    return this.#revocations.refresh(now);
  }

  /**
   * Every certificate that was issued here, oldest first.
   *
   * @throws PkiError `pki.invalid_file` with file and line if a log is damaged
   */
  async listIssued(): Promise<ListedCertificate[]> {
    return this.log.list();
  }

  async #certify(terms: DeviceTerms, publicKey: KeyObject, renews = false): Promise<string> {
    const certificate = await certifyDevice(this.authority, publicKey, terms);
    await this.log.add(issueRecordOf(certificate, 'device', renews));
    return certificate;
  }

  async #keyIn(file: keyof typeof FILES): Promise<KeyObject | undefined> {
    const path = this.#path(file);
    const pem = await readIfThere(path);
    return pem === undefined ? undefined : inFile(path, () => parsePrivateKey(pem));
  }

  #path(file: keyof typeof FILES): string {
    return join(this.directory, FILES[file]);
  }
}

function isMeant(one: IssueRecord, target: RevocationTarget): boolean {
  if ('name' in target) return one.kind === 'device' && one.name === target.name;
  return one.serialNumber === target.serialNumber.toLowerCase();
}

function unknown(target: RevocationTarget): PkiError {
  const what = 'name' in target ? `device "${target.name}"` : `certificate ${target.serialNumber}`;
  return new PkiError('pki.unknown_certificate', `no ${what} was issued by this authority`);
}
