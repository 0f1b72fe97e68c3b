import type { Store } from '../storage/store.js';

interface Answer {
  ready: boolean;
  run: () => void;
}

/**
 * The answers of one connection that wait for the disk, in order (invariant 1). An answer that has nothing to wait
 * for still waits its turn. // [MQTT-4.6.0-2] [MQTT-4.6.0-3]
 */
export class PendingAnswers {
  private waiting: Answer[] = [];

  constructor(
    private readonly store: Store,
    private readonly failed: (error: unknown) => void,
  ) {}

  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  get length(): number {
    return this.waiting.length;
  }

  /** Runs `good` when everything staged so far is durable, `bad` when it cannot be. */
  afterCommit(good: () => void, bad: () => void): void {
    const answer: Answer = { ready: false, run: good };
    this.waiting.push(answer);
    this.store.commit().then(
      () => this.settle(answer),
      () => {
        answer.run = bad;
        this.settle(answer);
      },
    );
  }

  /** Runs `action` behind those that wait. */
  inTurn(action: () => void): void {
    if (this.waiting.length === 0) action();
    else this.waiting.push({ ready: true, run: action });
  }

  private settle(answer: Answer): void {
    answer.ready = true;
    let done = 0;
    try {
      for (const { ready, run } of this.waiting) {
        if (!ready) break;
        done++;
        run();
      }
    } catch (error) {
      this.failed(error);
    }
    this.waiting = this.waiting.slice(done);
  }
}
