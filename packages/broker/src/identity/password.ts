import { type Authenticator, type Credentials, notMine, type Verdict } from './authenticator.js';
import type { PasswordFile } from './password-file.js';
import type { HashRenewal } from './renewal.js';
import type { WorkGate } from './work-gate.js';

/** How many passwords are checked at once, and wait for it. */
export interface PasswordGates {
  readonly strangers: WorkGate;
  /** For names that have logged in from their address before: they do not wait behind who guesses. */
  readonly known: WorkGate;
}

const noPassword = new Uint8Array(0);

/** Asks the password file about whoever gives a user name. */
export class PasswordAuthenticator implements Authenticator {
  constructor(
    private readonly passwords: PasswordFile,
    private readonly gates: PasswordGates,
    private readonly renewal?: HashRenewal,
  ) {}

  authenticate(credentials: Credentials): Verdict | Promise<Verdict> {
    const { username, password = noPassword } = credentials;
    return username === undefined ? notMine : this.verify(username, password, credentials);
  }

  private async verify(
    username: string,
    password: Uint8Array,
    { origin, known, whenLeft }: Credentials,
  ): Promise<Verdict> {
    const { passwords, gates } = this;
    const gate = known ? gates.known : gates.strangers;
    const check = async (): Promise<boolean> => {
      if (!(await passwords.verify(username, password, { known }))) return false;
      await this.renewal?.renew(passwords, username, password);
      return true;
    };
    const verified = await gate.run(origin.remoteAddress, check, whenLeft);
    if (verified === 'busy') return { denied: 'too_many_attempts' };
    if (verified === 'left') return { denied: 'left' };
    return verified ? { principal: { username, method: 'password' } } : { denied: 'bad_password' };
  }
}
