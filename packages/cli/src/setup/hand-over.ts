import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration, Log } from '@moat/broker';
import type { Created } from './data-directory.js';
import { welcome } from './welcome.js';

/**
 * Gives the administrator's password to whoever started the broker, once: on the terminal, or, where standard error
 * may end in a journal, in a file that only its owner can read.
 */
export async function handOver(
  configuration: Configuration,
  admin: NonNullable<Created['admin']>,
  log: Log,
  terminal: { readonly isTTY?: boolean; write(text: string): unknown } = process.stderr,
): Promise<void> {
  if (terminal.isTTY) {
    terminal.write(welcome(configuration, admin));
    return;
  }
  const file = join(configuration.data_dir, 'admin-password');
  await writeFile(file, `${admin.password}\n`, { mode: 0o600, flag: 'wx' });
  log.info(
    { username: admin.username, file },
    'made an administrator; the file holds the password: read it, then delete it',
  );
}
