import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@moat/pki';
import { z } from 'zod';
import { OperatorError } from '../errors.js';
import { AddressList, parseRange } from './address.js';

/** Who may be banned: an address or a range, a user name, a client ID. */
export const banKinds = ['address', 'username', 'clientid'] as const;

const banSchema = z.strictObject({
  kind: z.enum(banKinds),
  what: z.string().min(1).max(1_024),
  reason: z.string().max(1_024),
  /** Wall-clock milliseconds. */
  since: z.number(),
  /** Undefined: until it is removed. */
  until: z.number().optional(),
});

export type Ban = z.output<typeof banSchema>;

/** How many there may be. */
const mostBans = 10_000;

/** Who is not to be let in, whatever it shows: kept in a file, each with a reason and perhaps an end. */
export class Bans {
  private addresses = new AddressList([]);
  /** When the first ban of an address ends. */
  private renewAt = Number.POSITIVE_INFINITY;
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private readonly bans: Map<string, Ban>,
  ) {
    this.renew(Date.now());
  }

  /** @throws OperatorError `bans.invalid` */
  static async load(file: string): Promise<Bans> {
    const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return '[]';
      throw invalid(file, cause.message);
    });
    try {
      const bans = z.array(banSchema).parse(JSON.parse(text));
      return new Bans(file, new Map(bans.map((ban) => [keyOf(ban), ban])));
    } catch (cause) {
      throw invalid(file, cause instanceof SyntaxError ? cause.message : 'not a list of bans');
    }
  }

  /** Those in force. */
  list(now: number): Ban[] {
    return [...this.bans.values()].filter((ban) => !isOver(ban, now));
  }

  /** Adds one, or replaces that of the same; it is on disk when this resolves. @throws OperatorError `bans.refused` */
  async add(ban: Ban): Promise<void> {
    if (ban.kind === 'address' && parseRange(ban.what) === undefined)
      throw new OperatorError('bans.refused', `${ban.what} is neither an IP address nor a range such as 10.0.0.0/8`);
    this.renew(ban.since);
    if (this.bans.size >= mostBans && !this.bans.has(keyOf(ban)))
      throw new OperatorError('bans.refused', `there are ${mostBans} bans already`, {
        hint: 'remove some, or ban a range',
      });
    this.bans.set(keyOf(ban), ban);
    this.renew(ban.since);
    await this.save();
  }

  /** False when there is none. */
  async remove(ban: Pick<Ban, 'kind' | 'what'>): Promise<boolean> {
    if (!this.bans.delete(keyOf(ban))) return false;
    this.renew(Date.now());
    await this.save();
    return true;
  }

  hasAddress(address: string, now: number): boolean {
    if (now >= this.renewAt) this.renew(now);
    return this.addresses.has(address);
  }

  has(kind: 'username' | 'clientid', what: string, now: number): boolean {
    if (this.bans.size === 0) return false;
    const ban = this.bans.get(keyOf({ kind, what }));
    return ban !== undefined && !isOver(ban, now);
  }

  /** Whether this ban, just made, is about such a client. */
  static isAbout(
    { kind, what }: Ban,
    client: { address: string; username: string | undefined; clientId: string },
  ): boolean {
    if (kind === 'address') return new AddressList([what]).has(client.address);
    return what === (kind === 'username' ? client.username : client.clientId);
  }

  /** Forgets what is over, and looks up the others quickly. */
  private renew(now: number): void {
    for (const [key, ban] of this.bans) if (isOver(ban, now)) this.bans.delete(key);
    const addresses = [...this.bans.values()].filter(({ kind }) => kind === 'address');
    this.addresses = new AddressList(addresses.map(({ what }) => what));
    this.renewAt = Math.min(...addresses.map(({ until }) => until ?? Number.POSITIVE_INFINITY));
  }

  /** One write after the other. */
  private save(): Promise<void> {
    const write = (): Promise<void> =>
      writeFileAtomic(this.file, `${JSON.stringify([...this.bans.values()], undefined, 1)}\n`, 0o600, this.file);
    this.writing = this.writing.then(write, write);
    return this.writing;
  }
}

function keyOf({ kind, what }: Pick<Ban, 'kind' | 'what'>): string {
  return `${kind} ${what}`;
}

function isOver({ until }: Ban, now: number): boolean {
  return until !== undefined && until <= now;
}

function invalid(file: string, why: string): OperatorError {
  return new OperatorError('bans.invalid', `cannot read the bans: ${why}`, {
    place: { file, line: 1, column: 1 },
    hint: 'mend the file, or remove it to begin without bans',
  });
}
