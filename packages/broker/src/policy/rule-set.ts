import type { Rule } from './rule.js';
import { RuleTree } from './rule-tree.js';

/** The rules that are about one kind of client, ready to be asked. */
export interface RuleSet {
  readonly allow: RuleTree;
  readonly deny: RuleTree;
  /** Rules on `connect`, those that deny first. */
  readonly connect: readonly Rule[];
  /** Whether an answer can depend on anything besides action and topic. */
  readonly isConditional: boolean;
}

/** @param rules all of them about the same clients */
export function compileRuleSet(rules: readonly Rule[]): RuleSet {
  const trees = { allow: new RuleTree(), deny: new RuleTree() };
  for (const rule of rules) {
    for (const pattern of rule.topics) trees[rule.effect].add(pattern, rule);
  }
  const denying = rules.filter(({ effect }) => effect === 'deny');
  const allowing = rules.filter(({ effect }) => effect === 'allow');
  return {
    ...trees,
    connect: [...denying, ...allowing].filter(({ actions }) => actions.has('connect')),
    isConditional: rules.some(({ conditions }) => Object.keys(conditions).length > 0),
  };
}
