/** What gathers bytes to send, and sends them on request. */
export interface Flushable {
  flush(): void;
}

/**
 * The outboxes that have something to send. While a read is being handled they gather; when it is over each
 * is flushed once. What is appended outside a read (timers, answers that waited for the disk) is flushed at the
 * end of the current microtasks.
 */
export class FlushQueue {
  private waiting: Flushable[] = [];
  private spare: Flushable[] = [];
  private reading = false;
  private scheduled = false;
  private readonly run = (): void => {
    this.scheduled = false;
    this.flush();
  };

  add(outbox: Flushable): void {
    this.waiting.push(outbox);
    if (!this.reading && !this.scheduled) {
      this.scheduled = true;
      queueMicrotask(this.run);
    }
  }

  /** Gathers from here on, until {@link endRead}. */
  beginRead(): void {
    this.reading = true;
  }

  endRead(): void {
    this.reading = false;
    if (this.waiting.length > 0) this.flush();
  }

  private flush(): void {
    const outboxes = this.waiting;
    this.waiting = this.spare;
    for (const outbox of outboxes) outbox.flush();
    outboxes.length = 0;
    this.spare = outboxes;
  }
}
