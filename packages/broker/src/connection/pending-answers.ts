import type { Store } from '../storage/store.js';

interface Answer {
  /** So many operations of the store have to be durable; 0 for an answer that only waits its turn. */
  readonly upTo: number;
  readonly good: () => void;
  readonly bad: () => void;
  readonly isPuback: boolean;
}

/**
 * The answers of one connection that wait for the disk, in order (invariant 1). An answer that has nothing to wait
 * for still waits its turn. // [MQTT-4.6.0-2] [MQTT-4.6.0-3]
 *
 * However many wait, the store is asked once for each of its commits, and all that it made durable go together.
 */
export class PendingAnswers {
  private waiting: Answer[] = [];
  private pubacks = 0;
  private awaitsCommit = false;

  constructor(
    private readonly store: Store,
    private readonly failed: (error: unknown) => void,
    /** Called when none waits any more. */
    private readonly settled: () => void,
  ) {}

  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** QoS 1 messages that are not acknowledged yet: they count against the receive maximum. */
  get unacknowledged(): number {
    return this.pubacks;
  }

  /** Runs `good` when everything staged so far is durable, `bad` when it cannot be. */
  afterCommit(good: () => void, bad: () => void, isPuback = false): void {
    this.add({ upTo: this.store.staged, good, bad, isPuback });
    this.awaitCommit();
  }

  /** Runs `action` behind those that wait. */
  inTurn(action: () => void, isPuback = false): void {
    if (this.waiting.length === 0) action();
    else this.add({ upTo: 0, good: action, bad: action, isPuback });
  }

  private add(answer: Answer): void {
    this.waiting.push(answer);
    if (answer.isPuback) this.pubacks++;
  }

  private awaitCommit(): void {
    if (this.awaitsCommit) return;
    this.awaitsCommit = true;
    this.store.commit().then(
      () => this.settle(this.store.durable, true),
      // Nothing that was staged since the last good commit is acknowledged.
      () => this.settle(Number.POSITIVE_INFINITY, false),
    );
  }

  private settle(upTo: number, stored: boolean): void {
    this.awaitsCommit = false;
    const due = this.waiting.findIndex((answer) => answer.upTo > upTo);
    const count = due < 0 ? this.waiting.length : due;
    let done = 0;
    try {
      while (done < count) {
        const { good, bad, isPuback } = this.waiting[done++] as Answer;
        if (isPuback) this.pubacks--;
        if (stored) good();
        else bad();
      }
    } catch (error) {
      this.failed(error);
    }
    this.waiting = this.waiting.slice(done);
    if (this.waiting.length > 0) this.awaitCommit();
    else this.settled();
  }
}
