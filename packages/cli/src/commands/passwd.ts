import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type ListedUser, listUsers, readUserList, removePassword, setPassword, setPasswords } from '@moat/broker';
import type { Command } from 'commander';
import { askPassword, readPassword } from '../connection/ask-password.js';
import { weaknessOf } from '../connection/password-strength.js';
import { CommandError, usageError } from '../failure.js';
import { examples } from '../help.js';
import { listing } from '../output/listing.js';
import { Progress } from '../output/progress.js';

interface PasswdOptions {
  readonly batch?: string;
  readonly delete?: true;
  readonly stdin?: true;
  readonly import?: string;
  readonly list?: true;
  readonly json?: true;
  readonly scram: boolean;
}

export function definePasswd(command: Command): void {
  command
    .argument('<file>', 'the password file, such as moat-data/passwords; it is made if it is not there')
    .argument('[user]', 'user name')
    .option('-b, --batch <password>', 'take the password from here; others can see it')
    .option('--stdin', 'take the password from the first line of standard input, even if that is a terminal')
    .option('-D, --delete', 'delete the user')
    .option('--import <list>', 'set the passwords of all users in a file of user:password lines; - is standard input')
    .option('--list', 'list the users, and how each can prove who that is')
    .option('--json', 'with --list: as JSON')
    .option('--no-scram', 'an Argon2id hash alone: the user cannot log in by SCRAM')
    .addHelpText(
      'after',
      `
Without -b the password is asked for, twice, or read from standard input when that is no terminal.
--import changes the file once, behind the last hash, and leaves it as it was when a line of the list is wrong.
A running broker takes the new file by itself, and ends the connections of a user who was changed or deleted.
${examples(
  'moat passwd moat-data/passwords alice',
  'pwgen 20 1 | moat passwd moat-data/passwords alice',
  'moat passwd moat-data/passwords --import users.txt',
  'moat passwd moat-data/passwords --list --json',
)}`,
    )
    .action(change);
}

async function change(file: string, user: string | undefined, options: PasswdOptions): Promise<void> {
  const { batch, stdin, delete: remove, import: list, list: show, json } = options;
  const given = [batch !== undefined && '-b', stdin && '--stdin', remove && '-D', list && '--import', show && '--list'];
  const actions = given.filter((option) => typeof option === 'string');
  if (actions.length > 1) throw usageError(`${actions.slice(0, 2).join(' and ')} exclude each other`);
  if (json && !show) throw usageError('--json goes with --list');
  if (user === undefined) {
    if (list !== undefined) return importUsers(file, list, options.scram);
    if (show) return printUsers(file, json ?? false);
    throw usageError('give the name of a user, or --import, or --list');
  }
  if (list !== undefined || show) throw usageError(`${actions[0]} takes no user name`);
  if (remove) {
    if (!(await removePassword(file, user))) throw new CommandError(1, `there is no user ${user} in ${file}`);
    return;
  }
  const password = batch ?? (stdin ? await readPassword() : await newPassword(user));
  await setPassword(file, user, password, { scram: options.scram });
  const weakness = weaknessOf(password, user);
  if (weakness) process.stderr.write(`moat: the password is set, but ${weakness}\n`);
}

async function newPassword(user: string): Promise<string> {
  if (!process.stdin.isTTY) return readPassword();
  const password = await askPassword(`New password of ${user}: `);
  if ((await askPassword('Once more: ')) !== password) throw new CommandError(1, 'the two passwords differ');
  return password;
}

async function importUsers(file: string, list: string, scram: boolean): Promise<void> {
  const source = list === '-' ? 'standard input' : list;
  const users = readUserList(list === '-' ? await text(process.stdin) : await readList(list), source);
  const progress = new Progress();
  await setPasswords(file, users, { scram }, (done) => progress.show(`${done} of ${users.size} passwords hashed`));
  progress.clear();
  console.log(`${users.size} ${users.size === 1 ? 'password' : 'passwords'} set in ${file}`);
  const weak = [...users].filter(([user, password]) => weaknessOf(password, user));
  if (weak.length > 0) process.stderr.write(`moat: ${weak.length} of them would be guessed soon: ${names(weak)}\n`);
}

/** The first few, for a person to look at. */
function names(users: readonly (readonly [user: string, password: string])[]): string {
  const shown = users.slice(0, 5).map(([user]) => user);
  return shown.join(', ') + (users.length > shown.length ? ', …' : '');
}

async function readList(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw new CommandError(2, `cannot read the list: ${cause.message}`, { cause });
  });
}

async function printUsers(file: string, json: boolean): Promise<void> {
  const rows = listing<ListedUser>(['USER', 'HASH', 'SCRAM'], json, ({ username, scheme, mechanisms }) => [
    username,
    scheme,
    mechanisms.map((name) => name.replace('SCRAM-', '')).join(', ') || 'none',
  ]);
  for (const user of await listUsers(file)) rows.add(user);
  rows.end();
}
