import type { Will } from '@moat/codec';
import type { Accounts } from '../guard/accounts.js';

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
  readonly limits: { readonly max_wills_per_user: number };
}

/** By its name in the configuration. */
export type WillShortage = 'max_wills' | 'max_wills_per_user';

/** How many wills wait to be published or given up, in all and of each principal: each is in memory, and may be in the store. */
export class Wills {
  private all = 0;

  constructor(
    private readonly limits: { readonly max_wills: number },
    private readonly accounts: Accounts,
  ) {}

  get count(): number {
    return this.all;
  }

  /** Has a session have a will in place of what it had; none when that was published or is not to be. */
  set(testator: Testator, will: Will | undefined): void {
    const change = Number(will !== undefined) - Number(testator.will !== undefined);
    testator.will = will;
    if (change === 0) return;
    this.all += change;
    const account = this.accounts.of(testator.owner);
    account.wills += change;
    this.accounts.settle(account);
  }

  /** The limit that leaves no room for another; the one that it would replace does not count. */
  shortage(existing: Testator | undefined, { owner, will, limits }: Request): WillShortage | undefined {
    if (will === undefined) return undefined;
    const replaced = existing?.will === undefined ? undefined : existing.owner;
    if (replaced === undefined && this.all >= this.limits.max_wills) return 'max_wills';
    const theirs = this.accounts.get(owner)?.wills ?? 0;
    return replaced !== owner && theirs >= limits.max_wills_per_user ? 'max_wills_per_user' : undefined;
  }
}
