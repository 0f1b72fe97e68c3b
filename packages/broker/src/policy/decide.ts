import { parseSharedFilter } from '@moat/codec';
import { clientIdMatches } from './object.js';
import type { Action, Circumstances, Effect, Rule } from './rule.js';
import type { RuleSet } from './rule-set.js';
import type { BoundLevels } from './rule-tree.js';
import type { Subject } from './subject.js';

/** An answer, and why. */
export interface Decision {
  readonly allowed: boolean;
  /** The rule that decided; undefined when none spoke and the default did. */
  readonly rule: Rule | undefined;
}

/** For the actions whose rules have no conditions. */
const atMostOnce: Circumstances = { qos: 0, retain: false };

/** Shared, so that a decision without a rule costs nothing. */
const byDefault: Record<Effect, Decision> = {
  allow: { allowed: true, rule: undefined },
  deny: { allowed: false, rule: undefined },
};

/**
 * A policy for one connected client. The answer is that of the definition: denied if any rule that denies applies,
 * else allowed if any rule that allows does, else the default.
 *
 * A rule applies
 * - to `connect` with the client ID asked for, when one of its patterns matches;
 * - to `publish` and `receive` of a topic, when one of its filters matches;
 * - to `subscribe` with a filter, when one of its filters includes *every* topic of it. So a filter wider than what
 *   is granted is not granted; and one wider than what is denied is not denied, which is why each message is
 *   judged again by `receive` when it is delivered. A shared subscription is judged by the filter in it.
 */
export class BoundPolicy {
  /** Whether answers on `publish` and `subscribe` can depend on the circumstances; when not, the topic suffices as key. */
  readonly isConditional: boolean;
  readonly #rules: RuleSet;
  readonly #subject: Subject;
  readonly #fallback: Decision;
  readonly #allowLevels: BoundLevels;
  readonly #denyLevels: BoundLevels;

  constructor(rules: RuleSet, subject: Subject, fallback: Effect) {
    this.isConditional = rules.isConditional;
    this.#rules = rules;
    this.#subject = subject;
    this.#fallback = byDefault[fallback];
    this.#allowLevels = rules.allow.bind(subject);
    this.#denyLevels = rules.deny.bind(subject);
  }

  /**
   * May the client do this?
   * @param target the client ID for `connect`, the filter for `subscribe`, else the topic name; well-formed
   */
  decide(action: 'connect', target: string): Decision;
  decide(action: 'receive', target: string): Decision;
  decide(action: Exclude<Action, 'connect'>, target: string, circumstances: Circumstances): Decision;
  decide(action: Action, target: string, circumstances: Circumstances = atMostOnce): Decision {
    if (action === 'connect') return this.#decideConnect(target);
    const filter = action === 'subscribe' ? (parseSharedFilter(target)?.filter ?? target) : target;
    const denying = this.#rules.deny.find(filter, this.#denyLevels, action, circumstances);
    if (denying) return { allowed: false, rule: denying };
    const allowing = this.#rules.allow.find(filter, this.#allowLevels, action, circumstances);
    return allowing ? { allowed: true, rule: allowing } : this.#fallback;
  }

  #decideConnect(clientId: string): Decision {
    const rule = this.#rules.connect.find(({ clientIds }) =>
      clientIds.some((pattern) => clientIdMatches(pattern, this.#subject, clientId)),
    );
    return rule ? { allowed: rule.effect === 'allow', rule } : this.#fallback;
  }
}
