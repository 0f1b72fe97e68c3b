import type { Audit } from '../audit/audit.js';
import type { Bans } from '../guard/bans.js';
import type { LockedOut, LockOut } from '../guard/lock-out.js';
import type { Refusals } from '../guard/refusals.js';

/** Where an attempt comes from. */
interface Attempt {
  readonly address: string;
  readonly listener: string;
  readonly clientId?: string | undefined;
  readonly username?: string | undefined;
}

/** What the guard is told of attempts to come in, and what it says to them; what it does is told to the audit. */
export class LoginGuard {
  constructor(
    readonly bans: Bans,
    readonly lockOut: LockOut,
    private readonly refusals: Refusals,
    private readonly audit: Pick<Audit, 'record'>,
  ) {}

  /** Asked before anything is spent on a connection. */
  letsIn(address: string, listener: string): boolean {
    const now = Date.now();
    if (this.bans.hasAddress(address, now)) return this.refuse({ address, listener }, 'banned address');
    if (this.lockOut.refusesAddress(address, now)) return this.refuse({ address, listener }, 'locked out');
    return true;
  }

  /** Milliseconds that a CONNECT has to wait; undefined when it is refused. */
  delayOf(attempt: Attempt): number | undefined {
    const delay = this.lockOut.delayOf(attempt.address, attempt.username ?? '', Date.now());
    if (delay === undefined) this.refuse(attempt, 'locked out');
    return delay;
  }

  knows({ address, username }: Attempt): boolean {
    return this.lockOut.knows(address, username ?? '');
  }

  /** Whether somebody who was recognised is banned all the same. */
  isBanned(attempt: Attempt, username: string | undefined, clientId: string): boolean {
    const now = Date.now();
    const banned =
      (username !== undefined && this.bans.has('username', username, now)) || this.bans.has('clientid', clientId, now);
    if (banned) this.refuse({ ...attempt, username, clientId }, 'banned');
    return banned;
  }

  /** Whether a client ID comes in too often; for each owner of its own, so that nobody keeps another out. */
  flaps(attempt: Attempt, clientId: string, owner: string): boolean {
    const flaps = this.lockOut.flaps(`${clientId} ${owner}`, Date.now());
    if (flaps)
      this.refusals.record('limit.flapping', { ...attempt, clientId, reason: 'too many connections a minute' });
    return flaps;
  }

  failed(attempt: Attempt): void {
    const { address, username } = attempt;
    this.tell(attempt, this.lockOut.failed(address, username ?? '', Date.now()));
  }

  succeeded({ address, username }: Attempt): void {
    this.lockOut.succeeded(address, username ?? '');
  }

  malformed(attempt: Attempt): void {
    this.tell(attempt, this.lockOut.malformed(attempt.address, Date.now()));
  }

  private tell(attempt: Attempt, locked: LockedOut | undefined): void {
    if (locked === undefined) return;
    const whom = locked.kind === 'pair' ? 'this user name from this address' : 'the address';
    this.audit.record('auth.locked', { ...attempt, reason: `${whom}, until ${new Date(locked.until).toISOString()}` });
  }

  private refuse(attempt: Attempt, reason: string): false {
    this.refusals.record('ban.refused', { ...attempt, reason });
    return false;
  }
}
