import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Audit } from '../audit/audit.js';
import { principalOfKey } from '../identity/principal.js';
import { byName } from '../policy/by-name.js';
import { Policy } from '../policy/compile.js';
import { type BoundPolicy, type Decision, nameOfDecision } from '../policy/decide.js';
import { Message } from '../routing/message.js';
import type { RetainedJudge as Judge, Router } from '../routing/router.js';
import { absentSubject } from './subject-of.js';

/** Publishers whose rights are kept at hand. */
const mostBound = 10_000;
/** So many messages are judged in one turn of the loop. */
const pageSize = 128;

/** Messages that one rule took from one user. */
interface Withdrawn {
  readonly username: string | undefined;
  readonly rule: string;
  count: number;
}

/**
 * Says of retained messages whether whoever published them still may, as far as user name and client ID tell
 * ({@link byName}): it may have been long ago, and by a client that is no more.
 */
export class RetainedJudge implements Judge {
  private readonly bound = new Map<string, BoundPolicy>();
  /** While all are judged: what was withdrawn, by user and rule. */
  private gathered: Map<string, Withdrawn> | undefined = undefined;

  private constructor(
    /** The one that it judges by. */
    readonly source: Policy,
    private readonly policy: Policy,
    private readonly audit: Pick<Audit, 'record'>,
  ) {}

  /** Made without holding the event loop up. */
  static async of(source: Policy, audit: Pick<Audit, 'record'>): Promise<RetainedJudge> {
    return new RetainedJudge(source, await Policy.gradually(byName(source.text), source.fallback), audit);
  }

  mayStay(message: Message, owner: string): boolean {
    const decision = this.decide(message, owner);
    if (!decision.allowed) this.tell(message, owner, decision);
    return decision.allowed;
  }

  /** Judges all that there is, a page at a time, as long as this is who judges. */
  async judgeAll(router: Router): Promise<void> {
    const gathered = new Map<string, Withdrawn>();
    this.gathered = gathered;
    let page: string[] = [];
    try {
      for (const match of router.retained.match('#', Date.now())) {
        if (match !== undefined) page.push(match.topic);
        if (match !== undefined && page.length < pageSize) continue;
        await judgePage(router, page);
        page = [];
        if (router.judge !== this) return;
      }
      await judgePage(router, page);
    } catch {
      // The store tells of its failure itself; what is left is judged when it is delivered.
    } finally {
      this.gathered = undefined;
      for (const { username, rule, count } of gathered.values())
        this.audit.record('policy.withdrawn', { username, rule, count }, count);
    }
  }

  private decide({ topic, qos, retain, payloadLength, publisher = '' }: Message, owner: string): Decision {
    const key = `${owner}\n${publisher}`;
    let bound = this.bound.get(key);
    if (bound === undefined) {
      if (this.bound.size >= mostBound) this.bound.clear();
      bound = this.policy.bind(absentSubject(owner, publisher));
      this.bound.set(key, bound);
    }
    return bound.decide('publish', topic, { qos, retain, payloadSize: payloadLength });
  }

  private tell({ topic, publisher }: Message, owner: string, decision: Decision): void {
    const { username } = principalOfKey(owner);
    const rule = nameOfDecision(decision);
    const { gathered } = this;
    if (gathered === undefined)
      return this.audit.record('policy.withdrawn', { clientId: publisher, username, topic, rule });
    const key = `${owner}\n${rule}`;
    const known = gathered.get(key);
    if (known === undefined) gathered.set(key, { username, rule, count: 1 });
    else known.count++;
  }
}

/** Whatever changes while they are read was published by somebody who may. */
async function judgePage(router: Router, topics: readonly string[]): Promise<void> {
  const at = router.retained.changes;
  for (const record of await router.readRetained(topics))
    if ((router.retained.changedAt(record.topic) ?? Number.POSITIVE_INFINITY) <= at)
      router.mayDeliver(Message.restored(record));
  await nextTurn();
}
