import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuthorityStore, createAuthority, initAuthority, issueDeviceCertificate } from '@moat/pki';
import type { ClientIdentity } from '@moat/testkit';

export type { ClientIdentity } from '@moat/testkit';

/** Where the brokers of tests listen. */
const hosts = ['127.0.0.1', '127.0.0.2', 'localhost'];

/** The authority of a test's broker, in `directory/pki`, where a configuration looks for its files by default. */
export class TestAuthority {
  private constructor(
    readonly store: AuthorityStore,
    /** PEM of the authority. */
    readonly ca: string,
  ) {}

  static async create(directory: string): Promise<TestAuthority> {
    const pki = join(directory, 'pki');
    const store = await initAuthority(pki, { hosts, days: 1, now: new Date() });
    return new TestAuthority(store, await readFile(join(pki, 'ca.crt'), 'utf8'));
  }

  async device(name: string): Promise<ClientIdentity> {
    return identityOf(await this.store.issueDevice({ name, days: 1, now: new Date() }));
  }

  async revoke(name: string): Promise<void> {
    await this.store.revoke({ name }, { now: new Date() });
  }

  /** Replaces the server's certificate by a new one. */
  async renewServer(): Promise<void> {
    await this.store.issueServer({ hosts, days: 1, now: new Date() });
  }
}

/** A device of another authority. */
export async function strangerNamed(name: string): Promise<ClientIdentity> {
  const now = new Date();
  return identityOf(await issueDeviceCertificate(await createAuthority({ now }), { name, days: 1, now }));
}

function identityOf({ certificate, privateKey }: Awaited<ReturnType<typeof issueDeviceCertificate>>): ClientIdentity {
  return { cert: certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}
