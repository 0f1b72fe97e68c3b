import { join } from 'node:path';
import { FILES } from './authority-files.js';
import { appendRecords } from './journal.js';
import { JournalReader } from './journal-reader.js';
import { type IssueRecord, parseIssueRecord, parseRevocationRecord } from './records.js';
import type { RevocationReason } from './revocation-list.js';
import { revokedBy } from './revocations.js';

/** A certificate that was issued, and whether and why it was revoked. */
export interface ListedCertificate extends IssueRecord {
  readonly revocation: { readonly at: Date; readonly reason: RevocationReason } | undefined;
}

/** What an authority has issued and revoked, by its logs: to read them takes no key. */
export class IssueLog {
  readonly #path: string;
  readonly #issued: JournalReader<IssueRecord>;
  readonly #revoked;

  constructor(directory: string) {
    this.#path = join(directory, FILES.issued);
    this.#issued = new JournalReader(this.#path, parseIssueRecord);
    this.#revoked = new JournalReader(join(directory, FILES.revoked), parseRevocationRecord);
  }

  async add(record: IssueRecord): Promise<void> {
    await appendRecords(this.#path, [record]);
  }

  /**
   * Every certificate that was issued, oldest first.
   *
   * @throws PkiError `pki.invalid_file` with file and line if a log is damaged
   */
  async list(): Promise<ListedCertificate[]> {
    const issued = await this.#issued.read();
    const revoked = new Map(revokedBy(await this.#revoked.read()).map((one) => [one.serialNumber, one]));
    return issued.map((record) => {
      const one = revoked.get(record.serialNumber);
      return { ...record, revocation: one && { at: one.revokedAt, reason: one.reason } };
    });
  }
}
