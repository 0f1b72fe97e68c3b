import { type Mechanism, mechanismNames } from '@moat/scram';
import { PasswordFile } from './password-file.js';

/** A user of a password file, and how that one can prove it. */
export interface ListedUser {
  readonly username: string;
  /** Of the hash: `argon2id`, or what another program made. */
  readonly scheme: string;
  readonly mechanisms: readonly Mechanism[];
}

/**
 * The users of a password file, in its order.
 * @throws OperatorError `config.unreadable`, or `passwords.invalid` with the line
 */
export async function listUsers(path: string): Promise<ListedUser[]> {
  const file = await PasswordFile.load(path);
  return [...file.usernames()].map((username) => ({
    username,
    scheme: file.hashOf(username)?.cost.split(' ', 1)[0] ?? '',
    mechanisms: mechanismNames.filter((mechanism) => file.verifierOf(username, mechanism) !== undefined),
  }));
}
