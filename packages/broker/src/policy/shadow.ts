import type { Policy } from './compile.js';
import type { Circumstances } from './conditions.js';
import { type BoundPolicy, type Decision, nameOfDecision } from './decide.js';
import type { Subject } from './facts.js';
import type { Action } from './rule.js';

/** Differences that are remembered so as not to be told again; beyond, some may be. */
const maxRemembered = 10_000;

/** Something that the policy in force and a second one do not agree on. */
export interface Difference {
  readonly action: Action;
  /** Topic, filter, or client ID for `connect`. */
  readonly target: string;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly address: string;
  readonly listener: string;
  /** What the second policy would change. */
  readonly change: 'allows' | 'denies';
  /** What decided in force and in the second policy: `file:line`, `default` or `reserved`. */
  readonly inForce: string;
  readonly instead: string;
}

/** Judges live requests by a second policy, and changes nothing. What it holds is bounded, and goes with it. */
export class Shadow {
  /** Questions that were judged by both. */
  judged = 0;
  private readonly bound = new WeakMap<Subject, BoundPolicy>();
  private readonly told = new Set<string>();

  constructor(
    private readonly policy: Policy,
    /** Told of each difference once. */
    private readonly report: (difference: Difference) => void,
  ) {}

  compare(
    subject: Subject,
    action: Action,
    target: string,
    circumstances: Circumstances | undefined,
    live: Decision,
  ): void {
    this.judged++;
    const second = this.boundTo(subject).decide(action, target, circumstances);
    if (second.allowed === live.allowed) return;
    const { clientId, username, address, listener } = subject;
    const key = JSON.stringify([action, target, clientId, username, address]);
    if (this.told.has(key)) return;
    if (this.told.size >= maxRemembered) this.told.clear();
    this.told.add(key);
    this.report({
      action,
      target,
      clientId,
      username,
      address,
      listener,
      change: second.allowed ? 'allows' : 'denies',
      inForce: nameOfDecision(live),
      instead: nameOfDecision(second),
    });
  }

  private boundTo(subject: Subject): BoundPolicy {
    let bound = this.bound.get(subject);
    if (bound === undefined) {
      bound = this.policy.bind(subject);
      this.bound.set(subject, bound);
    }
    return bound;
  }
}
