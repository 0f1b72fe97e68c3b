import type { Log } from '../audit/log.js';
import { changeCredentials } from './edit-passwords.js';
import type { PasswordFile } from './password-file.js';
import { hashPassword } from './password-hash.js';

/** Milliseconds over which new hashes are gathered before the file is written once for all of them. */
const gathering = 1_000;

/** Makes the hashes of other programs anew with Argon2id, when a good login has brought the password. */
export class HashRenewal {
  /** Users whose hash is being made, or waits to be written. */
  private readonly under = new Set<string>();
  private old = new Map<string, string>();
  private made = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    readonly path: string,
    private readonly log: Pick<Log, 'info' | 'warn'>,
  ) {}

  /** Called with a password that was just proven right. */
  async renew(passwords: PasswordFile, username: string, password: Uint8Array): Promise<void> {
    const old = passwords.credentialsOf(username);
    if (old === undefined || this.under.has(username) || passwords.hashOf(username)?.own !== false) return;
    this.under.add(username);
    const made = [await hashPassword(password), ...old.split(':').slice(1)].join(':');
    this.old.set(username, old);
    this.made.set(username, made);
    passwords.renew(username, made);
    this.timer ??= setTimeout(() => this.write(), gathering).unref();
  }

  /** Resolves when what was made anew is in the file, or could not be written. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    if (this.made.size > 0) this.write();
    await this.writing;
  }

  private write(): void {
    this.timer = undefined;
    const { old, made } = this;
    this.old = new Map();
    this.made = new Map();
    this.writing = this.writing.then(async () => {
      try {
        const users = await changeCredentials(this.path, made, old);
        this.log.info({ users }, 'passwords hashed anew');
      } catch (error) {
        this.log.warn({ reason: String(error) }, 'passwords could not be hashed anew');
      }
      for (const user of made.keys()) this.under.delete(user);
    });
  }
}
