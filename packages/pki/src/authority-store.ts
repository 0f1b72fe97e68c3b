import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { type Authority, parsePrivateKey } from './authority.js';
import { assertDeviceName } from './device-name.js';
import { PkiError } from './errors.js';
import { inFile, PUBLIC, readIfThere, SECRET, writeFileAtomic } from './files.js';
import { type IssuedCertificate, issueDeviceCertificate, issueServerCertificate } from './issue.js';
import { appendRecords, readRecords } from './journal.js';
import {
  type IssueRecord,
  issueRecordOf,
  parseIssueRecord,
  parseRevocationRecord,
  type RevocationRecord,
} from './records.js';
import { type RevocationReason, type RevokedCertificate, signRevocationList } from './revocation-list.js';
import { privateKeyPem } from './x509.js';

/** The files of an authority, by their names in its directory. */
export const FILES = {
  caCertificate: 'ca.crt',
  caKey: 'ca.key',
  revocationList: 'ca.crl',
  serverCertificate: 'server.crt',
  serverKey: 'server.key',
  issued: 'issued.jsonl',
  revoked: 'revoked.jsonl',
} as const;

const DAY = 86_400_000;
/** How long a revocation list is good for. */
const LIST_DAYS = 365;

/** A certificate that was issued, and whether and why it was revoked. */
export interface ListedCertificate extends IssueRecord {
  readonly revocation: { readonly at: Date; readonly reason: RevocationReason } | undefined;
}

/** What to revoke: every valid certificate of a device, or one certificate of any kind. */
export type RevocationTarget = { readonly name: string } | { readonly serialNumber: string };

/**
 * An authority and its records in a directory. Several processes may use the same directory at once.
 *
 * Invariants:
 * - A certificate stands in the issue log before anyone gets to see it, so what is not listed was never issued.
 * - The revocation list numbered n holds what the first n lines of `revoked.jsonl` say: the order of lines, which
 *   the kernel decides, is also the order of the lists.
 */
export class AuthorityStore {
  constructor(
    readonly directory: string,
    readonly authority: Authority,
  ) {}

  /**
   * Issues the server's certificate and puts it in place of the one before. The key stays if there is one, so that
   * certificate and key match at every moment; remove `server.key` to have a new one made.
   *
   * @throws PkiError `pki.invalid_host`, `pki.invalid_days`, `pki.authority_expired`, `pki.invalid_file`
   */
  async issueServer(options: { hosts: readonly string[]; days: number; now: Date }): Promise<IssueRecord> {
    const kept = await this.#serverKey();
    const issued = await issueServerCertificate(this.authority, kept ? { ...options, privateKey: kept } : options);
    const record = issueRecordOf(issued.certificate, 'server');
    await appendRecords(this.#path('issued'), [record]);
    if (!kept) await writeFileAtomic(this.#path('serverKey'), privateKeyPem(issued.privateKey), SECRET);
    await writeFileAtomic(this.#path('serverCertificate'), issued.certificate, PUBLIC);
    return record;
  }

  /**
   * Issues a device's certificate. Its private key is in the answer and nowhere else.
   *
   * @throws PkiError `pki.name_taken` if a certificate of that name is valid; `pki.invalid_name`, `pki.invalid_days`,
   *   `pki.authority_expired`, `pki.invalid_file`
   */
  async issueDevice(options: { name: string; days: number; now: Date }): Promise<IssuedCertificate> {
    assertDeviceName(options.name);
    const holder = (await this.#validOf(options.name, options.now))[0];
    if (holder) {
      throw new PkiError(
        'pki.name_taken',
        `the device "${options.name}" has a certificate that is valid until ${holder.notAfter.toISOString()}`,
        { hint: 'choose another name, or revoke that certificate first' },
      );
    }
    const issued = await issueDeviceCertificate(this.authority, options);
    await appendRecords(this.#path('issued'), [issueRecordOf(issued.certificate, 'device')]);
    return issued;
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
    if (meant.length === 0) {
      const what = 'name' in target ? `device "${target.name}"` : `certificate ${target.serialNumber}`;
      throw new PkiError('pki.unknown_certificate', `no ${what} was issued by this authority`);
    }
    const fresh = meant.filter(({ revocation, notAfter }) => !revocation && notAfter > now);
    const records = fresh.map(({ serialNumber }) => ({ at: now, revoked: { serialNumber, reason } }));
    await this.#publish(records.length > 0 ? records : [{ at: now }], now);
    return fresh;
  }

  /**
   * Signs the revocation list anew if less than half of its life is left at `now`.
   *
   * @returns whether it did
   * @throws PkiError `pki.invalid_file`
   */
  async refreshRevocationList(now: Date): Promise<boolean> {
    const signedAt = (await this.#revocations()).at(-1)?.at.getTime();
    if (signedAt !== undefined && now.getTime() - signedAt < (LIST_DAYS * DAY) / 2) return false;
    await this.#publish([{ at: now }], now);
    return true;
  }

  /**
   * Every certificate that was issued here, oldest first.
   *
   * @throws PkiError `pki.invalid_file` with file and line if a log is damaged
   */
  async listIssued(): Promise<ListedCertificate[]> {
    const issued = await readRecords(this.#path('issued'), parseIssueRecord);
    const revoked = new Map(revokedBy(await this.#revocations()).map((one) => [one.serialNumber, one]));
    return issued.map((record) => {
      const one = revoked.get(record.serialNumber);
      return { ...record, revocation: one && { at: one.revokedAt, reason: one.reason } };
    });
  }

  async #validOf(name: string, now: Date): Promise<ListedCertificate[]> {
    return (await this.listIssued()).filter((one) => isMeant(one, { name }) && !one.revocation && one.notAfter > now);
  }

  /** Whoever replaced the list last has seen the log since: the list ends complete, whoever else was revoking. */
  async #publish(records: readonly RevocationRecord[], now: Date): Promise<void> {
    await appendRecords(this.#path('revoked'), records);
    const nextUpdate = new Date(now.getTime() + LIST_DAYS * DAY);
    let log = await this.#revocations();
    for (let number = -1; number < log.length; log = await this.#revocations()) {
      number = log.length;
      const list = await signRevocationList(this.authority, revokedBy(log), { now, nextUpdate, number });
      await writeFileAtomic(this.#path('revocationList'), list, PUBLIC);
    }
  }

  #revocations(): Promise<RevocationRecord[]> {
    return readRecords(this.#path('revoked'), parseRevocationRecord);
  }

  async #serverKey(): Promise<KeyObject | undefined> {
    const path = this.#path('serverKey');
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

/** Each serial number once, as it was first revoked: two processes may have revoked the same one. */
function revokedBy(records: readonly RevocationRecord[]): RevokedCertificate[] {
  const first = new Map<string, RevokedCertificate>();
  for (const { at, revoked } of records) {
    if (revoked && !first.has(revoked.serialNumber)) first.set(revoked.serialNumber, { ...revoked, revokedAt: at });
  }
  return [...first.values()];
}
