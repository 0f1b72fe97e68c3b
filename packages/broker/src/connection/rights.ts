import type { QoS } from '@moat/codec';
import type { BoundPolicy, Decision } from '../policy/decide.js';
import type { Rule } from '../policy/rule.js';
import type { Subject } from '../policy/subject.js';
import type { Rights } from '../session/session.js';
import type { ConnectionContext } from './context.js';

const maximumCachedTopics = 1_000;
/** The server's own topics, and what looks like a shared subscription, are nobody's to write. */
const reserved = /^\$(SYS|share)(\/|$)/;

/**
 * What one client may do: the policy bound to its principal, with the answers of its topics kept until the policy
 * changes. A denial is audited when it is worked out, not each time it is met.
 */
export class ClientRights implements Rights {
  private bound: BoundPolicy;
  private generation: number;
  private readonly publishing = new Map<string, boolean>();
  private readonly receiving = new Map<string, boolean>();
  private lastTopic: string | undefined;
  private lastVerdict = false;

  constructor(
    private readonly context: ConnectionContext,
    readonly subject: Subject,
  ) {
    this.bound = context.policy.bind(subject);
    this.generation = context.policyGeneration;
  }

  mayConnect(): Decision {
    return this.current().decide('connect', this.subject.clientId);
  }

  maySubscribe(filter: string, qos: QoS): Decision {
    return this.current().decide('subscribe', filter, { qos, retain: false });
  }

  mayPublish(topic: string, qos: QoS, retain: boolean): boolean {
    const policy = this.current();
    if (topic === this.lastTopic && !policy.isConditional) return this.lastVerdict;
    const verdict = !reserved.test(topic) && this.cached(policy, this.publishing, 'publish', topic, { qos, retain });
    this.lastTopic = topic;
    this.lastVerdict = verdict;
    return verdict;
  }

  mayReceive(topic: string): boolean {
    return this.cached(this.current(), this.receiving, 'receive', topic, { qos: 0, retain: false });
  }

  /** Tells the operator of a denial. */
  audit(action: string, topic: string, rule: Rule | undefined): void {
    const { address, listener, clientId, username } = this.subject;
    this.context.audit.record('policy.denied', {
      address,
      listener,
      clientId,
      username,
      action,
      topic,
      rule: rule === undefined ? 'default' : `${rule.place.file}:${rule.place.line}`,
    });
  }

  private cached(
    policy: BoundPolicy,
    cache: Map<string, boolean>,
    action: 'publish' | 'receive',
    topic: string,
    circumstances: { qos: QoS; retain: boolean },
  ): boolean {
    let verdict = cache.get(topic);
    if (verdict !== undefined && !policy.isConditional) return verdict;
    const decision = policy.decide(action, topic, circumstances);
    verdict = decision.allowed;
    if (!verdict) this.audit(action, topic, decision.rule);
    if (cache.size >= maximumCachedTopics) cache.clear();
    cache.set(topic, verdict);
    return verdict;
  }

  private current(): BoundPolicy {
    if (this.generation !== this.context.policyGeneration) {
      this.generation = this.context.policyGeneration;
      this.bound = this.context.policy.bind(this.subject);
      this.publishing.clear();
      this.receiving.clear();
      this.lastTopic = undefined;
    }
    return this.bound;
  }
}
