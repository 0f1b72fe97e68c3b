import { parseSharedFilter } from '@moat/codec';
import { isInvited, withoutRules } from './certificate-topics.js';
import type { Circumstances } from './conditions.js';
import type { Subject } from './facts.js';
import { clientIdMatches } from './object.js';
import { type Action, type Effect, nameOfRule, type Rule } from './rule.js';
import type { RuleSet } from './rule-set.js';
import { type BoundLevels, type Node, Search } from './rule-tree.js';
import { variableProblem } from './template.js';

/** An answer, and why. */
export interface Decision {
  readonly allowed: boolean;
  /** The rule that decided; undefined when none spoke and the default did. */
  readonly rule: Rule | undefined;
  /** Whether no rule was asked: the topic is the server's own. */
  readonly reserved: boolean;
}

/** For the actions whose rules have no conditions. */
const atMostOnce: Circumstances = { qos: 0, retain: false, payloadSize: 0 };

/** Shared, so that a decision without a rule costs nothing. */
const byDefault: Record<Effect, Decision> = {
  allow: { allowed: true, rule: undefined, reserved: false },
  deny: { allowed: false, rule: undefined, reserved: false },
};

/** One of the server's own topics, which this client needs. */
const granted: Decision = { allowed: true, rule: undefined, reserved: true };

/** The server's own topics, and what looks like a shared subscription, are nobody's to write. */
const reserved: Decision = { allowed: false, rule: undefined, reserved: true };

/** What decided, as it is logged: `file:line` of the rule, `default`, or `reserved`. */
export function nameOfDecision({ rule, reserved }: Decision): string {
  return reserved ? 'reserved' : nameOfRule(rule);
}

/** Where to look, and the values of the variables there. A list of arrays would take twice as many looks at memory. */
interface Tree {
  readonly root: Node;
  readonly levels: BoundLevels;
  readonly next: Tree | undefined;
}

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
  /** Whether QoS and retain flag matter besides the topic; when neither these nor the payload do, the topic suffices as key. */
  readonly asksFlags: boolean;
  readonly asksPayload: boolean;
  readonly #trees: Tree | undefined;
  /** Known beforehand, for a decision should look at nothing that it need not. */
  readonly #isInvited: boolean;

  /**
   * @param ruleSets all that is about the client, in parts that are shared with others
   * @param subject with the groups that the policy puts it in
   */
  constructor(
    private readonly ruleSets: readonly RuleSet[],
    readonly subject: Subject,
    private readonly fallback: Effect,
  ) {
    this.asksFlags = ruleSets.some(({ asksFlags }) => asksFlags);
    this.asksPayload = ruleSets.some(({ asksPayload }) => asksPayload);
    this.#trees = ruleSets.reduceRight<Tree | undefined>(
      (next, { topics }) => (topics.isEmpty ? next : { root: topics.root, levels: topics.bind(subject), next }),
      undefined,
    );
    this.#isInvited = isInvited(subject);
  }

  /**
   * May the client do this?
   * @param target the client ID for `connect`, the filter for `subscribe`, else the topic name; well-formed
   */
  decide(action: Action, target: string, circumstances: Circumstances = atMostOnce): Decision {
    if (this.#isInvited || target.charCodeAt(0) === 0x24) {
      const settled = withoutRules(action, target, this.subject);
      if (settled !== undefined) return settled ? granted : reserved;
    }
    if (action === 'connect') return this.#decideConnect(target);
    if (action === 'publish' && isReserved(target)) return reserved;
    const filter = action === 'subscribe' ? (parseSharedFilter(target)?.filter ?? target) : target;
    const search = new Search(filter, action, circumstances);
    for (let tree = this.#trees; tree !== undefined; tree = tree.next) if (search.in(tree.root, tree.levels)) break;
    const { found: rule, denied } = search;
    return rule === undefined ? byDefault[this.fallback] : { allowed: !denied, rule, reserved: false };
  }

  /** What of this client cannot stand in a variable, and the rule that it keeps from matching. */
  unusableValues(): { readonly problem: string; readonly rule: Rule }[] {
    const unusable = [];
    for (const { variables } of this.ruleSets) {
      for (const [variable, rule] of variables) {
        const problem = variableProblem(this.subject, variable);
        if (problem !== undefined) unusable.push({ problem, rule });
      }
    }
    return unusable;
  }

  #decideConnect(clientId: string): Decision {
    const applies = ({ clientIds }: Rule) =>
      clientIds.some((pattern) => clientIdMatches(pattern, this.subject, clientId));
    for (const effect of ['deny', 'allow'] as const) {
      for (const { connect } of this.ruleSets) {
        const rule = connect[effect].find(applies);
        if (rule !== undefined) return { allowed: effect === 'allow', rule, reserved: false };
      }
    }
    return byDefault[this.fallback];
  }
}

/** Whether nobody may publish to it, whatever a policy says. */
export function isReserved(topic: string): boolean {
  return topic.startsWith('$') && /^\$(SYS|share)(\/|$)/.test(topic);
}
