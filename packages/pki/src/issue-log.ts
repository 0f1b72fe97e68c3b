import { join } from 'node:path';
import { FILES } from './authority-files.js';
import { appendRecords } from './journal.js';
import { JournalReader } from './journal-reader.js';
import { type IssueRecord, parseIssueRecord, parseRevocationRecord, type RevocationRecord } from './records.js';
import type { RevocationReason, RevokedCertificate } from './revocation-list.js';

/** A certificate that was issued, and whether and why it was revoked. */
export interface ListedCertificate extends IssueRecord {
  readonly revocation: { readonly at: Date; readonly reason: RevocationReason } | undefined;
}

/** That a certificate was revoked. */
export interface ListedRevocation {
  readonly at: Date;
  readonly serialNumber: string;
  readonly reason: RevocationReason;
  /** In the certificate; undefined for one that was never issued here. */
  readonly name: string | undefined;
}

/** What the logs hold, found by what is asked. `issued` and `revoked` are those that it was made of, as far as it got. */
interface Index {
  readonly issued: readonly IssueRecord[];
  readonly revoked: readonly RevocationRecord[];
  readonly byName: Map<string, IssueRecord[]>;
  readonly byFingerprint: Map<string, IssueRecord>;
  readonly bySerialNumber: Map<string, IssueRecord>;
  /** By serial number; the first revocation counts. */
  readonly revocations: Map<string, RevokedCertificate>;
  issuedCount: number;
  revokedCount: number;
}

/**
 * What an authority has issued and revoked, by its logs: to read them takes no key. What is asked about one certificate
 * costs as much in a long log as in a short one, once that was read.
 *
 * Every method throws PkiError `pki.invalid_file` with file and line if a log is damaged.
 */
export class IssueLog {
  readonly #path: string;
  readonly #issued: JournalReader<IssueRecord>;
  readonly #revoked: JournalReader<RevocationRecord>;
  #index: Index = indexOf([], []);

  constructor(directory: string) {
    this.#path = join(directory, FILES.issued);
    this.#issued = new JournalReader(this.#path, parseIssueRecord);
    this.#revoked = new JournalReader(join(directory, FILES.revoked), parseRevocationRecord);
  }

  async add(record: IssueRecord): Promise<void> {
    await appendRecords(this.#path, [record]);
  }

  /** Every certificate that was issued, oldest first; `from` leaves out so many. */
  async list(from = 0): Promise<ListedCertificate[]> {
    const index = await this.#read();
    return index.issued.slice(from).map((record) => listed(index, record));
  }

  /** How many were issued. */
  async count(): Promise<number> {
    return (await this.#read()).issuedCount;
  }

  /** How many entries the log of revocations has: for each revocation, and for each list that was only signed anew. */
  async revocationCount(): Promise<number> {
    return (await this.#read()).revokedCount;
  }

  /** The revocations among the entries from one number to behind another; each certificate once, as it was first revoked. */
  async revocations(from: number, to: number): Promise<ListedRevocation[]> {
    const index = await this.#read();
    return index.revoked.slice(from, to).flatMap(({ at, revoked }) => {
      if (revoked === undefined || index.revocations.get(revoked.serialNumber)?.revokedAt !== at) return [];
      return [{ ...revoked, at, name: index.bySerialNumber.get(revoked.serialNumber)?.name }];
    });
  }

  /** Those of a device, oldest first. */
  async ofDevice(name: string): Promise<ListedCertificate[]> {
    const index = await this.#read();
    const records = index.byName.get(name) ?? [];
    return records.filter(({ kind }) => kind === 'device').map((record) => listed(index, record));
  }

  async ofFingerprint(fingerprint: string): Promise<ListedCertificate | undefined> {
    const index = await this.#read();
    const record = index.byFingerprint.get(fingerprint);
    return record && listed(index, record);
  }

  async #read(): Promise<Index> {
    const [issued, revoked] = [await this.#issued.read(), await this.#revoked.read()];
    if (this.#index.issued !== issued || this.#index.revoked !== revoked) this.#index = indexOf(issued, revoked);
    extend(this.#index);
    return this.#index;
  }
}

function indexOf(issued: readonly IssueRecord[], revoked: readonly RevocationRecord[]): Index {
  const [byName, byFingerprint, bySerialNumber, revocations] = [new Map(), new Map(), new Map(), new Map()];
  return { issued, revoked, byName, byFingerprint, bySerialNumber, revocations, issuedCount: 0, revokedCount: 0 };
}

function extend(index: Index): void {
  for (; index.issuedCount < index.issued.length; index.issuedCount++) {
    const record = index.issued[index.issuedCount] as IssueRecord;
    const others = index.byName.get(record.name);
    if (others === undefined) index.byName.set(record.name, [record]);
    else others.push(record);
    index.byFingerprint.set(record.fingerprint, record);
    index.bySerialNumber.set(record.serialNumber, record);
  }
  for (; index.revokedCount < index.revoked.length; index.revokedCount++) {
    const { at, revoked } = index.revoked[index.revokedCount] as RevocationRecord;
    if (revoked && !index.revocations.has(revoked.serialNumber))
      index.revocations.set(revoked.serialNumber, { ...revoked, revokedAt: at });
  }
}

function listed({ revocations }: Index, record: IssueRecord): ListedCertificate {
  const one = revocations.get(record.serialNumber);
  return { ...record, revocation: one && { at: one.revokedAt, reason: one.reason } };
}
