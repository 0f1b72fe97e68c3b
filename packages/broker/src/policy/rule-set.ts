import { variablesIn } from './object.js';
import type { Effect, Rule } from './rule.js';
import { RuleTree, type Texts } from './rule-tree.js';
import { variablesOf } from './template.js';

/** The rules that are about one kind of client, ready to be asked. */
export class RuleSet {
  readonly topics: RuleTree;
  /** Rules on `connect`. */
  readonly connect: Readonly<Record<Effect, Rule[]>> = { allow: [], deny: [] };
  /** Every variable in it, with the first rule that holds it. */
  readonly variables = new Map<string, Rule>();
  /** Whether an answer can depend on QoS or retain flag besides action and topic. */
  asksFlags = false;
  /** Whether an answer can depend on the payload. */
  asksPayload = false;

  constructor(texts: Texts) {
    this.topics = new RuleTree(texts);
  }

  static of(rules: Iterable<Rule>, texts: Texts): RuleSet {
    const set = new RuleSet(texts);
    for (const rule of rules) set.add(rule);
    set.topics.seal();
    return set;
  }

  add(rule: Rule): void {
    const { effect, actions, topics, clientIds, conditions } = rule;
    for (const pattern of topics) {
      this.topics.add(pattern, rule);
      for (const level of pattern.levels) this.#note(variablesOf(level), rule);
    }
    for (const pattern of clientIds) this.#note(variablesIn(pattern), rule);
    if (actions.has('connect')) this.connect[effect].push(rule);
    if (conditions.qos !== undefined || conditions.retain !== undefined) this.asksFlags = true;
    if (conditions.payloadSize !== undefined || conditions.sealed !== undefined) this.asksPayload = true;
  }

  #note(variables: readonly string[], rule: Rule): void {
    for (const variable of variables) if (!this.variables.has(variable)) this.variables.set(variable, rule);
  }
}
