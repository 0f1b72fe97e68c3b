import { BoundPolicy } from './decide.js';
import type { Effect, Rule } from './rule.js';
import { compileRuleSet, type RuleSet } from './rule-set.js';
import { type Subject, subjectMatches } from './subject.js';

/** More kinds of client than any sensible policy tells apart. */
const maxKinds = 1_024;

/** A whole policy. It never changes: a new one takes its place. */
export class Policy {
  /** In the order of the file. */
  readonly rules: readonly Rule[];
  /** What happens to what no rule speaks of. */
  readonly fallback: Effect;
  /** By the indexes of the rules that are about them. */
  readonly #kinds = new Map<string, RuleSet>();

  constructor(rules: readonly Rule[], fallback: Effect) {
    this.rules = rules;
    this.fallback = fallback;
  }

  /** The policy as it stands for one client: the rules about it, with the values of their variables. */
  bind(subject: Subject): BoundPolicy {
    const indexes: number[] = [];
    const rules = this.rules.filter((rule, index) => subjectMatches(rule.subject, subject) && indexes.push(index));
    const kind = indexes.join();
    let compiled = this.#kinds.get(kind);
    if (!compiled) {
      compiled = compileRuleSet(rules);
      if (this.#kinds.size >= maxKinds) this.#kinds.clear();
      this.#kinds.set(kind, compiled);
    }
    return new BoundPolicy(compiled, subject, this.fallback);
  }
}
