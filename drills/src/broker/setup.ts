import { randomBytes } from 'node:crypto';
import { findProgram } from '@moat/testkit';
import type { Setup, Users } from './broker.js';
import { makeCertificates } from './certificates.js';

/**
 * The rights of all drills, in the one format that Moat and Mosquitto both read. `mallory` has `open/#` but for
 * `open/closed`, and a tree for her name and her client ID; `secret/#` is for others.
 */
const accessList = `
user victim
topic secret/#
topic open/#
user watch
topic #
topic $SYS/#
user legitimate
topic devices/legitimate/#
user mallory
topic open/#
topic deny open/closed
pattern own/%u/#
pattern clients/%c/#
`;

/** Makes what all brokers of a run share, as files in `directory`. The passwords are new ones each time. */
export async function makeSetup(directory: string): Promise<Setup> {
  if (findProgram('openssl') === undefined) throw new Error('drills need openssl (apt-get install openssl)');
  const names = ['legitimate', 'victim', 'mallory', 'watch'] as const;
  const users = Object.fromEntries(names.map((name) => [name, randomBytes(12).toString('base64url')]));
  return { users: users as Users, accessList, ...(await makeCertificates(directory)) };
}

/**
 * User names that could widen a right. Moat takes no such names into its password file; elsewhere they have the password
 * of `mallory`, who is behind them.
 */
export const oddNames = ['+', '#', 'own/victim'] as const;
