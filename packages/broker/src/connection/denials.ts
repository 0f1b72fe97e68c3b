import type { Audit } from '../audit/audit.js';
import { type Decision, nameOfDecision } from '../policy/decide.js';
import type { Subject } from '../policy/facts.js';
import type { Action } from '../policy/rule.js';

/** Milliseconds between two reports of the same denial. */
const interval = 10_000;
/** Different denials of one client that are counted at a time; the oldest makes room, and is reported. */
const maxCounted = 1_000;

interface Repeated {
  readonly action: Action;
  readonly topic: string;
  decision: Decision;
  /** Since the last report. */
  count: number;
  /** Milliseconds. */
  reportedAt: number;
}

/**
 * Tells the operator of every denial of one client, with its rule: the first of a kind at once, those that repeat it by
 * their number, so that a client that goes on trying can fill no log.
 */
export class Denials {
  private readonly repeated = new Map<string, Repeated>();

  constructor(
    private readonly audit: Pick<Audit, 'record'>,
    private readonly subject: Subject,
  ) {}

  /** `now` is milliseconds of any clock that only goes forward, `count` how many were denied alike. */
  add(action: Action, topic: string, decision: Decision, now: number, count = 1): void {
    const key = `${action} ${topic}`;
    const known = this.repeated.get(key);
    if (known === undefined) {
      this.makeRoom();
      this.repeated.set(key, { action, topic, decision, count: 0, reportedAt: now });
      this.report(action, topic, decision, count);
      return;
    }
    known.count += count;
    known.decision = decision;
    if (now - known.reportedAt >= interval) this.tell(known, now);
  }

  /** Reports what has been counted and not told: the client is gone. */
  flush(): void {
    for (const known of this.repeated.values()) this.tell(known, known.reportedAt);
    this.repeated.clear();
  }

  private makeRoom(): void {
    if (this.repeated.size < maxCounted) return;
    for (const [key, oldest] of this.repeated) {
      this.tell(oldest, oldest.reportedAt);
      this.repeated.delete(key);
      return;
    }
  }

  private tell(known: Repeated, now: number): void {
    if (known.count > 0) this.report(known.action, known.topic, known.decision, known.count);
    known.count = 0;
    known.reportedAt = now;
  }

  private report(action: Action, topic: string, decision: Decision, count: number): void {
    const { address, listener, clientId, username } = this.subject;
    const rule = nameOfDecision(decision);
    this.audit.record(
      'policy.denied',
      { address, listener, clientId, username, action, topic, rule, ...(count === 1 ? {} : { count }) },
      count,
    );
  }
}
