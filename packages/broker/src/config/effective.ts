import { YamlSource } from '../yaml/yaml-source.js';
import { parseConfiguration } from './load.js';
import { type LimitName, limitTable } from './profiles.js';

/** A limit as it is in force. */
export interface EffectiveLimit {
  /** As it would be written: `limits.max_sessions`, `listeners[0].limits.max_keepalive`, `limits.roles.NAME.max_keepalive`. */
  readonly key: string;
  /** Undefined where there is none. */
  readonly value: number | undefined;
  readonly unit: string;
  /** `file:line:column`, or the profile that it comes from. */
  readonly from: string;
}

/**
 * Every limit of a configuration, and where it comes from.
 * @param text of the file; empty where there is none and the defaults hold
 * @throws OperatorErrors
 */
export function effectiveLimits(text: string, file: string): EffectiveLimit[] {
  const { limits, listeners } = parseConfiguration(text, file);
  const source = new YamlSource(text, file, 'config.syntax');
  const placeOf = (path: readonly PropertyKey[]): string => {
    const { line, column } = source.placeOf(path);
    return `${file}:${line}:${column}`;
  };
  const chosen = source.has(['limits', 'profile']) ? ` (${placeOf(['limits', 'profile'])})` : ' (the default)';
  const names = Object.keys(limitTable) as LimitName[];
  const general = names.map((name) => {
    const path = ['limits', name];
    const from = source.has(path) ? placeOf(path) : `profile ${limits.profile}${chosen}`;
    return effective(`limits.${name}`, name, limits[name], from);
  });
  const special = listeners.flatMap((listener, index) =>
    names.flatMap((name) => {
      const value = (listener.limits as { readonly [Name in LimitName]?: number })[name];
      const path = ['listeners', index, 'limits', name];
      return value === undefined ? [] : [effective(`listeners[${index}].limits.${name}`, name, value, placeOf(path))];
    }),
  );
  const byRole = Object.entries(limits.roles).flatMap(([role, own]) =>
    (Object.entries(own) as [LimitName, number][]).map(([name, value]) => {
      const path = ['limits', 'roles', role, name];
      return effective(path.join('.'), name, value, placeOf(path));
    }),
  );
  return [...general, ...special, ...byRole];
}

function effective(key: string, name: LimitName, value: number, from: string): EffectiveLimit {
  return { key, value: value === Number.MAX_SAFE_INTEGER ? undefined : value, unit: limitTable[name].unit, from };
}
