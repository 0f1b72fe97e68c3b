import { OperatorError, OperatorErrors, type Place } from '../errors.js';
import type { Policy } from '../policy/compile.js';
import { closest } from '../yaml/suggest.js';
import type { YamlSource } from '../yaml/yaml-source.js';
import type { Configuration } from './schema.js';

type RoleLimits = Configuration['limits']['roles'];

/** Where each role stands, for when the policy that has to have it is read. */
const places = new WeakMap<RoleLimits, (role: string) => Place>();

/** Notes where a configuration speaks of its roles. */
export function notePlaces({ limits }: Configuration, source: YamlSource): void {
  places.set(limits.roles, (role) => source.placeOfKey(['limits', 'roles', role]));
}

/**
 * Makes sure that the policy has every role that has limits of its own.
 * @param file that the policy was read from
 * @throws OperatorErrors `config.invalid_value`
 */
export function requireRoles(roles: RoleLimits, policy: Policy, file: string): void {
  const known = new Set(policy.text.roles.map(({ name }) => name));
  const mistakes = Object.keys(roles)
    .filter((role) => !known.has(role))
    .map((role) => {
      const meant = closest(role, known);
      const place = places.get(roles)?.(role);
      return new OperatorError('config.invalid_value', `limits for the role ${role}, which ${file} does not have`, {
        hint: meant === undefined ? 'write it under roles in the policy' : `did you mean ${meant}?`,
        ...(place === undefined ? {} : { place }),
      });
    });
  if (mistakes.length > 0) throw new OperatorErrors(mistakes);
}
