import type { Rule } from './rule.js';

/**
 * Rules of which equal parts are one and the same: what crosses to another thread together crosses once, and takes its memory
 * once.
 */
export function leanRules(rules: readonly Rule[]): Rule[] {
  const shared = new Map<string, unknown>();
  const one = <Part>(key: string, part: Part): Part => {
    if (!shared.has(key)) shared.set(key, part);
    return shared.get(key) as Part;
  };
  const ifEmpty = <Part extends object>(key: string, part: Part): Part =>
    Object.keys(part).length === 0 ? one(key, part) : part;
  return rules.map((rule) => ({
    ...rule,
    actions: one(`actions ${[...rule.actions].join()}`, rule.actions),
    topics: rule.topics.map((pattern) => ({
      ...pattern,
      levels: pattern.levels.map((level) => one(`level ${JSON.stringify(level)}`, level)),
    })),
    clientIds: ifEmpty('client IDs', rule.clientIds),
    conditions: ifEmpty('conditions', rule.conditions),
    setting: ifEmpty('setting', rule.setting),
  }));
}
