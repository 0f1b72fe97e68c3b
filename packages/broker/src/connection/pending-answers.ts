import type { Store } from '../storage/store.js';

interface Answer {
  ready: boolean;
  run: () => void;
  readonly isPuback: boolean;
}

/**
 * The answers of one connection that wait for the disk, in order (invariant 1). An answer that has nothing to wait
 * for still waits its turn. // [MQTT-4.6.0-2] [MQTT-4.6.0-3]
 */
export class PendingAnswers {
  private waiting: Answer[] = [];
  private pubacks = 0;

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
    const answer: Answer = { ready: false, run: good, isPuback };
    this.add(answer);
    this.store.commit().then(
      () => this.settle(answer),
      () => {
        answer.run = bad;
        this.settle(answer);
      },
    );
  }

  /** Runs `action` behind those that wait. */
  inTurn(action: () => void, isPuback = false): void {
    if (this.waiting.length === 0) action();
    else this.add({ ready: true, run: action, isPuback });
  }

  private add(answer: Answer): void {
    this.waiting.push(answer);
    if (answer.isPuback) this.pubacks++;
  }

  private settle(answer: Answer): void {
    answer.ready = true;
    let done = 0;
    try {
      for (const { ready, run, isPuback } of this.waiting) {
        if (!ready) break;
        done++;
        if (isPuback) this.pubacks--;
        run();
      }
    } catch (error) {
      this.failed(error);
    }
    this.waiting = this.waiting.slice(done);
    if (this.waiting.length === 0) this.settled();
  }
}
