import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { type Configuration, defaultPolicy, OperatorError, setPassword } from '@moat/broker';
import { type InitOptions, initAuthority } from '@moat/pki';
import { makePassword } from './admin-password.js';

/** What was not there and has been made. */
export interface Created {
  readonly directory: boolean;
  readonly authority: boolean;
  readonly policy: boolean;
  /** The administrator, whose password is kept nowhere else. */
  readonly admin: { readonly username: string; readonly password: string } | undefined;
}

/** How to set up. */
interface SetupOptions {
  readonly hosts: readonly string[];
  readonly now: Date;
  /** Which authority to make; default the simplest. */
  readonly authority?: Pick<InitOptions, 'issuing' | 'algorithm' | 'authority' | 'foreign' | 'passphrase'>;
}

/** `moat start` renews it when a third of that is left. */
const serverDays = 365;

/**
 * Makes what a broker needs and what is missing: the data directory (mode 0700), an authority and a server certificate
 * for this host and `hosts`, the default policy, and an administrator with a random password. Nothing that is there is
 * changed.
 *
 * @throws OperatorError `data_dir.unusable`; PkiError `pki.invalid_host`
 */
export async function ensureDataDirectory(
  { data_dir, authentication, authorization }: Configuration,
  { hosts, now, authority: wanted = {} }: SetupOptions,
): Promise<Created> {
  try {
    const directory = (await mkdir(data_dir, { recursive: true, mode: 0o700 })) !== undefined;
    const authority = await ensureAuthority(join(data_dir, 'pki'), { ...wanted, hosts, now });
    const policy = await createFile(authorization.policy_file, defaultPolicy);
    // Last: whatever fails before, a password that was never shown is not lost.
    return { directory, authority, policy, admin: await ensureAdmin(authentication.password_file) };
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const hint = 'choose another with --data-dir, or give yourself the right to write there';
    throw new OperatorError('data_dir.unusable', `cannot use the data directory: ${error.message}`, {
      hint,
      cause: error,
    });
  }
}

/** Makes or takes over an authority in `directory`, unless there is one. Tells whether it did. */
export async function ensureAuthority(directory: string, options: Omit<InitOptions, 'days'>): Promise<boolean> {
  const files = await readdir(directory).catch(() => []);
  // Certificates of the operator's own are as good.
  if (files.length > 0) return false;
  await initAuthority(directory, { ...options, hosts: allHosts(options.hosts), days: serverDays });
  return true;
}

/** The names given come first: the first is what devices are told. */
function allHosts(hosts: readonly string[]): string[] {
  const own = /^[a-z0-9._-]+$/i.test(hostname()) ? [hostname()] : [];
  return [...new Set([...hosts, ...own, 'localhost', '127.0.0.1', '::1'])];
}

async function ensureAdmin(passwordFile: string): Promise<Created['admin']> {
  if (await isThere(passwordFile)) return undefined;
  const admin = { username: 'admin', password: makePassword() };
  await mkdir(dirname(passwordFile), { recursive: true, mode: 0o700 });
  await setPassword(passwordFile, admin.username, admin.password);
  return admin;
}

/** Writes a file that is not there; false when it is. */
export async function createFile(file: string, text: string, mode = 0o600): Promise<boolean> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { flag: 'wx', mode });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
