import type { QoS } from '@moat/codec';
import type { Audit } from '../audit/audit.js';
import type { Policy } from '../policy/compile.js';
import type { Circumstances } from '../policy/conditions.js';
import type { BoundPolicy, Decision } from '../policy/decide.js';
import type { Subject } from '../policy/facts.js';
import { type Action, nameOfRule } from '../policy/rule.js';
import type { Rights } from '../session/session.js';
import type { ConnectionContext } from './context.js';
import { type DecisionMemory, decisionBytes } from './decision-memory.js';
import { Denials } from './denials.js';

const maximumCachedTopics = 1_000;

/** Decisions by topic. */
type Decisions = Map<string, Decision>;

/** What one policy says to one client, with the answers that have been worked out. */
interface Judgement {
  readonly generation: number;
  readonly source: Policy;
  readonly policy: BoundPolicy;
  /** By QoS and retain flag where these matter, else all in the first place. */
  readonly publishing: (Decisions | undefined)[];
  receiving: Decisions | undefined;
}

/** What it asks of everything around it. */
export interface RightsContext
  extends Pick<ConnectionContext, 'policy' | 'policyGeneration' | 'shadow' | 'sealInspector'> {
  readonly decisions: Pick<DecisionMemory, 'bytes' | 'keep'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly timers: { readonly now: number };
}

/**
 * What one client may do: the policy bound to its principal, with the answers of its topics kept until the policy
 * changes. From the moment in which `policyGeneration` is raised, no answer of an earlier policy is given any more.
 */
export class ClientRights implements Rights {
  private judgement: Judgement;
  /** What the next policy will say, worked out before it is in force. */
  private prepared: Judgement | undefined = undefined;
  private denials: Denials | undefined = undefined;
  /** What its decisions take that are kept. */
  private bytes = 0;
  /** The topic that was last published to, what was decided, and by which policy; clients mostly publish to one. */
  private lastTopic: string | undefined = undefined;
  private lastDecision: Decision | undefined = undefined;
  private lastGeneration = 0;

  constructor(
    private readonly context: RightsContext,
    readonly subject: Subject,
  ) {
    this.judgement = this.judge(context.policy, context.policyGeneration, Date.now());
  }

  mayConnect(): Decision {
    return this.decide('connect', this.subject.clientId);
  }

  maySubscribe(filter: string, qos: QoS): Decision {
    return this.decide('subscribe', filter, { qos, retain: false });
  }

  /** Whether the messages of a run must be asked about one by one, each with its payload. */
  get asksPayload(): boolean {
    return this.current().policy.asksPayload;
  }

  mayPublish(topic: string, qos: QoS, retain: boolean, message: { readonly payload: Uint8Array }): Decision {
    const { lastDecision } = this;
    const isKnown = topic === this.lastTopic && this.lastGeneration === this.context.policyGeneration;
    if (isKnown && lastDecision !== undefined) return lastDecision;
    const { generation, policy, publishing } = this.current();
    if (policy.asksPayload) {
      const { payload } = message;
      const sealed = this.context.sealInspector?.kindOf(topic, payload);
      return this.decide('publish', topic, { qos, retain, payloadSize: payload.length, sealed });
    }
    const slot = policy.asksFlags ? qos * 2 + Number(retain) : 0;
    publishing[slot] ??= new Map();
    const decision = this.kept(publishing[slot], 'publish', topic, { qos, retain });
    if (!policy.asksFlags) {
      this.lastTopic = topic;
      this.lastDecision = decision;
      this.lastGeneration = generation;
    }
    return decision;
  }

  mayReceive(topic: string): boolean {
    const judgement = this.current();
    judgement.receiving ??= new Map();
    const known = judgement.receiving.get(topic);
    if (known !== undefined) return known.allowed;
    const decision = this.kept(judgement.receiving, 'receive', topic, { qos: 0, retain: false });
    if (!decision.allowed) this.denied('receive', topic, decision);
    return decision.allowed;
  }

  /** Tells the operator of a denial, or of so many that are alike. */
  denied(action: Action, topic: string, decision: Decision, count = 1): void {
    this.denials ??= new Denials(this.context.audit, this.subject);
    this.denials.add(action, topic, decision, this.context.timers.now, count);
  }

  /** Tells the operator of values that could give a rule another meaning, and so match nothing. */
  reportUnusableValues(): void {
    const { address, listener, clientId, username } = this.subject;
    for (const { problem, rule } of this.current().policy.unusableValues()) {
      const client = { address, listener, clientId, username };
      this.context.audit.record('policy.unusable_value', { ...client, reason: problem, rule: nameOfRule(rule) });
    }
  }

  /** Works out what a policy will say, so that nothing is left to do when it comes into force as `generation`. */
  prepare(policy: Policy, generation: number, now: number): void {
    this.prepared = this.judge(policy, generation, now);
  }

  /** The connection has ended. */
  end(): void {
    this.denials?.flush();
    this.denials = undefined;
    this.forget();
  }

  /** Lets go of what was decided: it is worked out again when it is asked for. */
  forget(): void {
    const { publishing, receiving } = this.judgement;
    for (const decisions of publishing) decisions?.clear();
    receiving?.clear();
    this.lastTopic = undefined;
    this.lastDecision = undefined;
    this.context.decisions.bytes -= this.bytes;
    this.bytes = 0;
  }

  private kept(decisions: Decisions, action: Action, topic: string, circumstances: Circumstances): Decision {
    let decision = decisions.get(topic);
    if (decision !== undefined) return decision;
    decision = this.decide(action, topic, circumstances);
    if (decisions.size >= maximumCachedTopics) this.forget();
    const bytes = decisionBytes(topic);
    this.context.decisions.keep(bytes);
    this.bytes += bytes;
    decisions.set(topic, decision);
    return decision;
  }

  private decide(action: Action, target: string, circumstances?: Circumstances): Decision {
    const decision = this.current().policy.decide(action, target, circumstances);
    this.context.shadow?.compare(this.subject, action, target, circumstances, decision);
    return decision;
  }

  private current(): Judgement {
    const { policy, policyGeneration } = this.context;
    if (this.judgement.generation !== policyGeneration) {
      const { prepared } = this;
      const isReady = prepared?.generation === policyGeneration && prepared.source === policy;
      this.forget();
      this.judgement = isReady ? prepared : this.judge(policy, policyGeneration, Date.now());
      this.prepared = undefined;
    }
    return this.judgement;
  }

  private judge(source: Policy, generation: number, now: number): Judgement {
    return { generation, source, policy: source.bind(this.subject, now), publishing: [], receiving: undefined };
  }
}
