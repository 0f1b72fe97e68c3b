import { type Authenticator, type Credentials, notMine, type Verdict } from './authenticator.js';
import type { PasswordFile } from './password-file.js';
import type { HashRenewal } from './renewal.js';
import type { WorkGate } from './work-gate.js';

const noPassword = new Uint8Array(0);

/** Asks the password file about whoever gives a user name. */
export class PasswordAuthenticator implements Authenticator {
  constructor(
    private readonly passwords: PasswordFile,
    private readonly gate: WorkGate,
    private readonly renewal?: HashRenewal,
  ) {}

  authenticate({ username, password, origin, known }: Credentials): Verdict | Promise<Verdict> {
    if (username === undefined) return notMine;
    return this.verify(username, password ?? noPassword, origin.remoteAddress, known);
  }

  private async verify(username: string, password: Uint8Array, address: string, known: boolean): Promise<Verdict> {
    const { passwords } = this;
    const verified = await this.gate.run(
      address,
      async () => {
        if (!(await passwords.verify(username, password))) return false;
        await this.renewal?.renew(passwords, username, password);
        return true;
      },
      known,
    );
    if (verified === 'busy') return { denied: 'too_many_attempts' };
    return verified ? { principal: { username, method: 'password' } } : { denied: 'bad_password' };
  }
}
