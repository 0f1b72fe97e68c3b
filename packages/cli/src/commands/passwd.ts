import { removePassword, setPassword } from '@moat/broker';
import type { Command } from 'commander';
import { askPassword, readPassword } from '../connection/ask-password.js';
import { CommandError, usageError } from '../failure.js';
import { examples } from '../help.js';

interface PasswdOptions {
  readonly batch?: string;
  readonly delete?: true;
  readonly scram: boolean;
}

export function definePasswd(command: Command): void {
  command
    .argument('<file>', 'the password file, such as moat-data/passwords; it is made if it is not there')
    .argument('<user>', 'user name')
    .option('-b, --batch <password>', 'take the password from here; others can see it')
    .option('-D, --delete', 'delete the user')
    .option('--no-scram', 'an Argon2id hash alone: the user cannot log in by SCRAM')
    .addHelpText(
      'after',
      `
Without -b the password is asked for, or read from standard input when that is no terminal.
A running broker takes the new file by itself, and ends the connections of a user who was changed or deleted.
${examples('moat passwd moat-data/passwords alice', 'pwgen 20 1 | moat passwd moat-data/passwords alice')}`,
    )
    .action(change);
}

async function change(file: string, user: string, options: PasswdOptions): Promise<void> {
  if (options.delete) {
    if (options.batch !== undefined) throw usageError('-b and -D exclude each other');
    if (!(await removePassword(file, user))) throw new CommandError(1, `there is no user ${user} in ${file}`);
    return;
  }
  await setPassword(file, user, options.batch ?? (await newPassword(user)), { scram: options.scram });
}

async function newPassword(user: string): Promise<string> {
  if (!process.stdin.isTTY) return readPassword();
  const password = await askPassword(`New password of ${user}: `);
  if ((await askPassword('Once more: ')) !== password) throw new CommandError(1, 'the two passwords differ');
  return password;
}
