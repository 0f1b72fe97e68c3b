import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FILES } from './authority-files.js';
import { PkiError } from './errors.js';
import { giveToOwnerOf, isSystemError, SECRET } from './files.js';
import { type Invite, type InviteRecord, parseInviteRecord, type Spending } from './invite-records.js';
import { appendRecords } from './journal.js';
import { JournalReader } from './journal-reader.js';
import { assertNamePattern, isPattern, nameMatches } from './name-pattern.js';

/** An invite, and what has become of it. */
export interface ListedInvite extends Invite {
  readonly spent: ReadonlyMap<string, Spending>;
  readonly withdrawn: boolean;
}

/** What an invite is to be for. */
export type InviteTerms = Pick<Invite, 'names' | 'count' | 'expires' | 'days'>;

/**
 * The invites of an authority, in a log that only grows. Several processes may use it at once.
 *
 * Invariants: no secret is in the log, only its hash. Who may use an invite is what the order of lines says, which the
 * kernel decides: of those who spend the last use at once one wins, and a spending that was answered is never undone.
 */
export class Invites {
  readonly #path: string;
  readonly #log: JournalReader<InviteRecord>;
  #folded: { readonly records: readonly InviteRecord[]; count: number; readonly invites: Map<string, Folded> } =
    empty();

  constructor(directory: string) {
    this.#path = join(directory, FILES.invites);
    this.#log = new JournalReader(this.#path, parseInviteRecord);
  }

  /**
   * Makes a token that proves an invite: its identifier, a dot and 256 random bits. It is in the answer and nowhere else.
   *
   * @throws PkiError `pki.invalid_name`
   */
  async withToken(terms: InviteTerms): Promise<{ readonly invite: Invite; readonly token: string }> {
    const secret = randomBytes(32).toString('base64url');
    const invite = await this.add(newInviteId(), terms, { token: hashOf(secret) });
    return { invite, token: `${invite.id}.${secret}` };
  }

  /** Notes an invite. @throws PkiError `pki.invalid_name` */
  async add(id: string, { names, count, expires, days }: InviteTerms, proof: Invite['proof']): Promise<Invite> {
    assertNamePattern(names);
    if (count > 1 && !isPattern(names)) {
      const hint = 'write a pattern, such as pump-*';
      throw new PkiError('pki.invalid_name', `one name is not enough for ${count} devices`, { hint });
    }
    const invite = { id, names, count, expires, days, proof };
    await this.#make();
    await appendRecords(this.#path, [{ invite }]);
    return invite;
  }

  /** Makes the log if there is none. Only what is made here is given away: another name for a file of root's is not. */
  async #make(): Promise<void> {
    const file = await open(this.#path, 'wx', SECRET).catch((error: unknown) => {
      if (!isSystemError(error, 'EEXIST')) throw error;
    });
    try {
      if (file !== undefined) await giveToOwnerOf(dirname(this.#path), file);
    } finally {
      await file?.close();
    }
  }

  /** Nobody may use it any more. @throws PkiError `pki.invite_refused` if there is none */
  async withdraw(id: string, now: Date): Promise<void> {
    if (!(await this.#read()).has(id)) throw refused('is not known');
    await appendRecords(this.#path, [{ withdrawn: { id, at: now } }]);
  }

  /** All of them, oldest first. */
  async list(): Promise<readonly ListedInvite[]> {
    return [...(await this.#read()).values()];
  }

  /** The invite that a token proves. Takes as long for one that does not exist as for one with another secret. */
  async ofToken(token: string): Promise<ListedInvite | undefined> {
    const [id = '', secret = ''] = token.split('.', 2);
    const found = (await this.#read()).get(id);
    const wanted = found && 'token' in found.proof ? found.proof.token : nobody;
    return timingSafeEqual(Buffer.from(hashOf(secret), 'hex'), Buffer.from(wanted, 'hex')) ? found : undefined;
  }

  /** The invite of which a certificate is the claim certificate, by its fingerprint. */
  async ofCertificate(fingerprint: string): Promise<ListedInvite | undefined> {
    for (const one of (await this.#read()).values())
      if ('certificate' in one.proof && one.proof.certificate === fingerprint) return one;
    return undefined;
  }

  /** What an invite says of a device. @throws PkiError `pki.invite_refused`, `pki.name_refused` */
  async check(id: string, name: string, now: Date): Promise<ListedInvite> {
    const invite = (await this.#read()).get(id);
    const problem = invite === undefined ? 'is not known' : problemOf(invite, now);
    if (invite === undefined || problem !== undefined) throw refused(problem ?? '');
    if (!nameMatches(invite.names, name))
      throw new PkiError('pki.name_refused', `the invite is for ${invite.names}, not ${JSON.stringify(name)}`);
    return invite;
  }

  /**
   * Spends one use of an invite on a device and its key. The same device with the same key may ask again, as one whose
   * answer was lost has to, and gets the spending of then.
   *
   * @throws PkiError `pki.invite_refused` if nothing is left, `pki.name_refused`
   */
  async spend({ id, name, key, at }: Spending): Promise<Spending> {
    const before = await this.check(id, name, at);
    const known = before.spent.get(name);
    if (known?.key === key) return known;
    if (known !== undefined && before.count > 1) throw refused(`was used for ${name} with another key`);
    if (before.spent.size >= before.count) throw refused('is spent');
    await appendRecords(this.#path, [{ spent: { id, name, key, at } }]);
    const settled = (await this.check(id, name, at)).spent.get(name);
    if (settled?.key !== key) throw refused('is spent');
    return settled;
  }

  async #read(): Promise<ReadonlyMap<string, ListedInvite>> {
    const records = await this.#log.read().catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    if (this.#folded.records !== records) this.#folded = { ...empty(), records };
    const { invites, count } = this.#folded;
    for (const record of records.slice(count)) fold(invites, record);
    this.#folded.count = records.length;
    return invites;
  }
}

interface Folded extends ListedInvite {
  readonly spent: Map<string, Spending>;
  withdrawn: boolean;
}

/** Why an invite cannot be used. */
export function problemOf({ expires, withdrawn }: ListedInvite, now: Date): string | undefined {
  if (withdrawn) return 'was withdrawn';
  return expires <= now ? `ran out on ${expires.toISOString()}` : undefined;
}

export function newInviteId(): string {
  return randomBytes(8).toString('hex');
}

function fold(invites: Map<string, Folded>, record: InviteRecord): void {
  if ('invite' in record) {
    invites.set(record.invite.id, { ...record.invite, spent: new Map(), withdrawn: false });
    return;
  }
  const { id } = 'spent' in record ? record.spent : record.withdrawn;
  const one = invites.get(id);
  if (one === undefined) return;
  if ('withdrawn' in record) one.withdrawn = true;
  else if (one.spent.size < one.count && !one.spent.has(record.spent.name))
    one.spent.set(record.spent.name, record.spent);
}

function empty() {
  return { records: [] as readonly InviteRecord[], count: 0, invites: new Map<string, Folded>() };
}

/** What no secret hashes to. */
const nobody = randomBytes(32).toString('hex');

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function refused(what: string): PkiError {
  return new PkiError('pki.invite_refused', `the invite ${what}`);
}
