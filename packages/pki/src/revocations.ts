import { join } from 'node:path';
import type { Authority } from './authority.js';
import { FILES } from './authority-files.js';
import { PUBLIC, readIfThere, writeAuthorityFile } from './files.js';
import { appendRecords } from './journal.js';
import { JournalReader } from './journal-reader.js';
import { parseRevocationRecord, type RevocationRecord } from './records.js';
import { type RevokedCertificate, signRevocationList } from './revocation-list.js';

const DAY = 86_400_000;
/** How long a revocation list is good for. */
const LIST_DAYS = 365;

/** A revocation list as it was put in place. */
export interface SignedList {
  readonly number: number;
  /** Whoever checks refuses everyone afterwards, if there is no newer list. */
  readonly nextUpdate: Date;
}

/**
 * What an authority has revoked: a log, and the list that is signed from it.
 *
 * Invariant: the list numbered n holds what the first n lines of `revoked.jsonl` say. The order of lines, which the
 * kernel decides, is also the order of the lists.
 */
export class Revocations {
  readonly #log: string;
  readonly #list: string;
  readonly #rootList: string;
  readonly #records: JournalReader<RevocationRecord>;

  constructor(
    directory: string,
    private readonly authority: Authority,
  ) {
    this.#log = join(directory, FILES.revoked);
    this.#list = join(directory, FILES.revocationList);
    this.#records = new JournalReader(this.#log, parseRevocationRecord);
    this.#rootList = join(directory, FILES.rootRevocationList);
  }

  /**
   * Notes what is revoked and signs the list. Whoever replaced the list last has seen the log since: the list ends
   * complete, whoever else was revoking.
   */
  async publish(revoked: readonly Omit<RevokedCertificate, 'revokedAt'>[], now: Date): Promise<SignedList> {
    const records = revoked.map(({ serialNumber, reason }) => ({ at: now, revoked: { serialNumber, reason } }));
    await appendRecords(this.#log, records.length > 0 ? records : [{ at: now }]);
    const nextUpdate = new Date(now.getTime() + LIST_DAYS * DAY);
    let log = await this.#records.read();
    let number = -1;
    for (; number < log.length; log = await this.#records.read()) {
      number = log.length;
      const list = signRevocationList(this.authority, revokedBy(log), { now, nextUpdate, number });
      // Whoever checks lists wants one of every authority in the chain.
      await writeAuthorityFile(this.#list, `${list}${(await readIfThere(this.#rootList)) ?? ''}`, PUBLIC);
    }
    return { number, nextUpdate };
  }

  /** Signs the list anew if less than half of its life is left at `now`; answers whether it did. */
  async refresh(now: Date): Promise<boolean> {
    const signedAt = (await this.#records.read()).at(-1)?.at.getTime();
    if (signedAt !== undefined && now.getTime() - signedAt < (LIST_DAYS * DAY) / 2) return false;
    await this.publish([], now);
    return true;
  }
}

/** Each serial number once, as it was first revoked: two processes may have revoked the same one. */
function revokedBy(records: readonly RevocationRecord[]): RevokedCertificate[] {
  const first = new Map<string, RevokedCertificate>();
  for (const { at, revoked } of records) {
    if (revoked && !first.has(revoked.serialNumber)) first.set(revoked.serialNumber, { ...revoked, revokedAt: at });
  }
  return [...first.values()];
}
