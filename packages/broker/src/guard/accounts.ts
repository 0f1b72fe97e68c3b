/** What one principal has of what the broker keeps, connected or not. */
export class Account {
  sessions = 0;
  wills = 0;
  willBytes = 0;
  retainedMessages = 0;
  retainedBytes = 0;

  /** @param owner key of the principal */
  constructor(readonly owner: string) {}

  get isEmpty(): boolean {
    return this.sessions + this.wills + this.retainedMessages === 0;
  }
}

/**
 * The accounts of all principals that have something. One object stands for the name wherever something is theirs, so that
 * a million messages of theirs hold it once.
 */
export class Accounts {
  private readonly accounts = new Map<string, Account>();

  get(owner: string): Account | undefined {
    return this.accounts.get(owner);
  }

  /** The account of a principal; whoever takes out of it what he put in calls {@link settle} behind. */
  of(owner: string): Account {
    let account = this.accounts.get(owner);
    if (account === undefined) {
      account = new Account(owner);
      this.accounts.set(owner, account);
    }
    return account;
  }

  /** Forgets one that has nothing any more. */
  settle(account: Account): void {
    if (account.isEmpty) this.accounts.delete(account.owner);
  }
}
