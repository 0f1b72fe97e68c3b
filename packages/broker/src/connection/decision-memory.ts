import { hit, type LimitHits } from '../config/limit-hits.js';
import { Budget } from '../guard/budget.js';
import type { Rights } from '../session/session.js';

/** Bytes that a decision takes which is kept for a topic, about. */
export function decisionBytes(topic: string): number {
  return 128 + 2 * topic.length;
}

/** Whoever may have decisions kept. */
interface Sessions {
  all(): Iterable<{ readonly rights: Pick<Rights, 'forget'> | undefined }>;
}

/** What the decisions take that are kept for all clients. Where there is no room for one more, all are forgotten. */
export class DecisionMemory extends Budget {
  /** @param limits read anew each time */
  constructor(
    limits: { readonly max_decision_bytes: number },
    private readonly sessions: Sessions,
    private readonly hits: LimitHits,
  ) {
    super(() => limits.max_decision_bytes);
  }

  keep(bytes: number): void {
    if (!this.hasRoom(bytes)) this.forgetAll();
    this.bytes += bytes;
  }

  private forgetAll(): void {
    hit(this.hits, 'max_decision_bytes');
    for (const { rights } of this.sessions.all()) rights?.forget();
    this.bytes = 0; // what was kept for who is nowhere any more
  }
}
