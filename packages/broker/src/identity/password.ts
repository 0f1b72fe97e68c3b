import { type Authenticator, type Credentials, notMine, type Verdict } from './authenticator.js';
import type { PasswordFile } from './password-file.js';

const noPassword = new Uint8Array(0);

/** Asks the password file about whoever gives a user name. */
export class PasswordAuthenticator implements Authenticator {
  constructor(private readonly passwords: PasswordFile) {}

  authenticate({ username, password }: Credentials): Verdict | Promise<Verdict> {
    if (username === undefined) return notMine;
    return this.verify(username, password ?? noPassword);
  }

  private async verify(username: string, password: Uint8Array): Promise<Verdict> {
    switch (await this.passwords.verify(username, password)) {
      case 'ok':
        return { principal: { username, method: 'password' } };
      case 'busy':
        return { denied: 'too_many_attempts' };
      case 'no':
        return { denied: 'bad_password' };
    }
  }
}
