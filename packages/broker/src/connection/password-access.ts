import { availableParallelism } from 'node:os';
import { ReasonCode } from '@moat/codec';
import type { Log } from '../audit/log.js';
import type { Limits } from '../config/profiles.js';
import type { Configuration } from '../config/schema.js';
import type { AuthenticationMethod } from '../identity/enhanced.js';
import type { PasswordGates } from '../identity/password.js';
import type { PasswordFile } from '../identity/password-file.js';
import { PasswordVerifiers } from '../identity/password-verifiers.js';
import type { Principal } from '../identity/principal.js';
import { HashRenewal } from '../identity/renewal.js';
import { ScramMethod } from '../identity/scram-method.js';
import { WorkGate } from '../identity/work-gate.js';
import type { PasswordChecks } from './authenticators.js';
import type { Connections } from './connections.js';

/** What the password file of a broker is used with: its checks, and the SCRAM methods that it has verifiers for. */
export class PasswordAccess implements PasswordChecks {
  readonly gates: PasswordGates;
  private renewing: HashRenewal | undefined = undefined;
  private verifiers: PasswordVerifiers;

  /**
   * @param limits read anew each time
   * @param secret from which the challenges of unknown users are derived
   */
  constructor(
    limits: Pick<Limits, 'max_password_checks' | 'max_waiting_password_checks'>,
    private passwords: PasswordFile,
    private readonly secret: Buffer,
    private readonly log: Log,
    /** Methods of the embedding program, which count where both have one of a name. */
    private readonly others: readonly AuthenticationMethod[] = [],
  ) {
    // One core is left to the event loop: who guesses passwords must not slow down those who have theirs.
    const spare = Math.max(1, availableParallelism() - 1);
    const gate = (running: number): WorkGate =>
      new WorkGate(() => ({
        running: Math.min(limits.max_password_checks, running),
        waiting: limits.max_waiting_password_checks,
      }));
    this.gates = { strangers: gate(spare), known: gate(1) };
    this.verifiers = new PasswordVerifiers(passwords, secret);
  }

  /** Whether a user of that name has a password. */
  has(username: string): boolean {
    return this.passwords.credentialsOf(username) !== undefined;
  }

  get renewal(): HashRenewal | undefined {
    return this.renewing;
  }

  /** Puts a password file in force, and ends the connections of users whose password in it is another, or gone. */
  use(
    { rehash_passwords, password_file }: Configuration['authentication'],
    passwords: PasswordFile,
    connections: Connections,
  ): void {
    const changed = passwords.changedSince(this.passwords);
    this.passwords = passwords;
    this.verifiers = new PasswordVerifiers(passwords, this.secret);
    if (!rehash_passwords || this.renewing?.path !== password_file) void this.close();
    if (rehash_passwords) this.renewing ??= new HashRenewal(password_file, this.log);
    if (changed.size === 0) return;
    const isOne =
      (removed: boolean) =>
      ({ method, username }: Principal): boolean =>
        method === 'password' &&
        username !== undefined &&
        changed.has(username) &&
        (passwords.credentialsOf(username) === undefined) === removed;
    connections.endWhere(isOne(false), ReasonCode.notAuthorized, 'the password was changed');
    connections.endWhere(isOne(true), ReasonCode.administrativeAction, 'the user was removed');
  }

  /** The methods of AUTH packets that there are now. */
  methods(): Map<string, AuthenticationMethod> {
    const own = this.passwords.mechanisms.map((name) => new ScramMethod(name, () => this.verifiers));
    return new Map([...own, ...this.others].map((method) => [method.name, method]));
  }

  /** Writes what waits to be written. */
  async close(): Promise<void> {
    const { renewing } = this;
    this.renewing = undefined;
    await renewing?.close();
  }
}
