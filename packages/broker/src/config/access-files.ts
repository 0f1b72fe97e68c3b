import { readFile } from 'node:fs/promises';
import { OperatorError } from '../errors.js';
import { PasswordFile } from '../identity/password-file.js';
import { Policy } from '../policy/compile.js';
import { makePolicy } from '../policy/load.js';
import { requireRoles } from './role-limits.js';
import type { Configuration } from './schema.js';

/** The files that say who may come in and do what. */
export interface Access {
  readonly policy: Policy;
  readonly passwords: PasswordFile;
}

/**
 * Reads them. One that is not there lets nobody in and allows nothing but what `authorization.default` does: a
 * configuration that names it in so many words was refused before.
 * @throws OperatorError, OperatorErrors `policy.invalid`, `passwords.invalid`, `config.unreadable`, and
 * `config.invalid_value` where the policy lacks a role that has limits
 */
export async function loadAccess(configuration: Configuration): Promise<Access> {
  const [policy, passwords] = await Promise.all([loadPolicyOf(configuration), loadPasswords(configuration)]);
  return { policy, passwords };
}

/** The password file alone. @throws OperatorError `passwords.invalid`, `config.unreadable` */
export async function loadPasswords({ authentication }: Configuration): Promise<PasswordFile> {
  const { password_file } = authentication;
  return PasswordFile.parse((await optional(password_file)) ?? '', password_file);
}

type Authorization = Configuration['authorization'];

/** The file that says who may do what. */
export function rulesFileOf({ acl_file, policy_file }: Authorization): string {
  return acl_file ?? policy_file;
}

/** The policy that a configuration names, with every role that has limits there. @throws as {@link loadAccess} */
export async function loadPolicyOf({ authorization, limits }: Configuration): Promise<Policy> {
  const policy = await loadRules(authorization);
  requireRoles(limits.roles, policy, rulesFileOf(authorization));
  return policy;
}

/** The policy that a configuration names, in whichever of the two formats. */
export async function loadRules(authorization: Authorization): Promise<Policy> {
  const { acl_file, default: fallback } = authorization;
  const file = rulesFileOf(authorization);
  const text = await optional(file);
  if (text === undefined) return Policy.without(fallback);
  return makePolicy(text, file, acl_file === undefined ? 'policy' : 'acl', fallback);
}

async function optional(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new OperatorError('config.unreadable', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
