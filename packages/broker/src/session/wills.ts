import type { Will } from '@moat/codec';
import type { Accounts } from '../guard/accounts.js';
import { messageSize } from '../storage/message-size.js';

/** Whoever may have a will. */
interface Testator {
  /** Key of its principal. */
  readonly owner: string;
  will: Will | undefined;
}

/** What a CONNECT asks as far as wills go. */
interface Request {
  readonly owner: string;
  readonly will: Will | undefined;
  readonly limits: { readonly max_wills_per_user: number; readonly max_will_bytes_per_user: number };
}

/** By its name in the configuration. */
export type WillShortage = (typeof willShortages)[number];
const willShortages = ['max_wills', 'max_will_bytes', 'max_wills_per_user', 'max_will_bytes_per_user'] as const;

/** Whether it is a limit of wills that leaves no room. */
export function isWillShortage(name: string): name is WillShortage {
  return willShortages.includes(name as WillShortage);
}

/**
 * How many wills wait to be published or given up, and how many bytes they have, in all and of each principal: each is in
 * memory, and may be in the store.
 */
export class Wills {
  private all = 0;
  private allBytes = 0;

  constructor(
    private readonly limits: { readonly max_wills: number; readonly max_will_bytes: number },
    private readonly accounts: Accounts,
  ) {}

  get count(): number {
    return this.all;
  }

  get bytes(): number {
    return this.allBytes;
  }

  /** Has a session have a will in place of what it had; none when that was published or is not to be. */
  set(testator: Testator, will: Will | undefined): void {
    const before = testator.will;
    testator.will = will;
    if (before === will) return;
    const change = Number(will !== undefined) - Number(before !== undefined);
    const bytes = bytesOf(will) - bytesOf(before);
    this.all += change;
    this.allBytes += bytes;
    const account = this.accounts.of(testator.owner);
    account.wills += change;
    account.willBytes += bytes;
    this.accounts.settle(account);
  }

  /** The limit that leaves no room for another; what it would replace does not count. */
  shortage(existing: Testator | undefined, { owner, will, limits }: Request): WillShortage | undefined {
    if (will === undefined) return undefined;
    const replaced = existing?.will;
    const own = existing?.owner === owner ? replaced : undefined;
    const theirs = this.accounts.get(owner);
    const one = (before: Will | undefined): number => Number(before === undefined);
    const bytes = (before: Will | undefined): number => bytesOf(will) - bytesOf(before);
    if (!fits(this.all, one(replaced), this.limits.max_wills)) return 'max_wills';
    if (!fits(this.allBytes, bytes(replaced), this.limits.max_will_bytes)) return 'max_will_bytes';
    if (!fits(theirs?.wills ?? 0, one(own), limits.max_wills_per_user)) return 'max_wills_per_user';
    if (!fits(theirs?.willBytes ?? 0, bytes(own), limits.max_will_bytes_per_user)) return 'max_will_bytes_per_user';
    return undefined;
  }
}

/** What takes no more than was there always fits, also where the limit has been lowered since. */
function fits(before: number, more: number, most: number): boolean {
  return more <= 0 || before + more <= most;
}

/** Bytes that a will counts for, as messages do. */
function bytesOf(will: Will | undefined): number {
  return will === undefined ? 0 : messageSize(will.topic, will.payload.length, will.properties);
}
