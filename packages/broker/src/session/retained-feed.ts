import { Message } from '../routing/message.js';
import type { RetainedMatch, RetainedMessages } from '../routing/retained.js';
import type { Store } from '../storage/store.js';

/** So many messages are read from the store at once. */
const pageSize = 128;
/** So many that may no longer be delivered are passed over in one turn of the loop. */
const refusedInATurn = 500;

interface Read {
  readonly message: Message;
  /** How many changes there had been when it was read. */
  readonly at: number;
}

/**
 * The retained messages that one new subscription is still to get, read from the store a page at a time as the client
 * takes them.
 *
 * ```
 *   matches ─> at hand: next()
 *         └──> only in the store: a page of them is read, then next()
 * ```
 */
export class RetainedFeed {
  private page: Read[] = [];
  /** Topics whose message changed after it was read. */
  private readonly again: RetainedMatch[] = [];
  private reading = false;
  private ended = false;

  constructor(
    /** Undefined where others are to come in between. */
    private readonly matches: Iterator<RetainedMatch | undefined>,
    private readonly retained: RetainedMessages,
    private readonly store: Store,
    /** Called when there may be a next message again. */
    private readonly ready: () => void,
    /** Whether one may still be delivered. */
    private readonly mayDeliver: (message: Message) => boolean = () => true,
  ) {}

  /** Whether nothing will come any more. */
  get isOver(): boolean {
    return this.ended && !this.reading && this.page.length === 0 && this.again.length === 0;
  }

  /** Undefined while a page is read or others come in between, and when it is over. */
  next(): Message | undefined {
    for (let refused = 0; refused < refusedInATurn; refused++) {
      const message = this.upcoming();
      if (message === undefined || this.mayDeliver(message)) return message;
    }
    this.pause();
    return undefined;
  }

  private upcoming(): Message | undefined {
    for (let read = this.page.shift(); read !== undefined; read = this.page.shift()) {
      const message = this.newest(read);
      if (message !== undefined) return message;
    }
    if (this.reading) return undefined;
    const matches = this.again.splice(0);
    if (matches.length === 0) {
      const match = this.match();
      if (match === undefined && !this.ended) this.pause();
      if (match === undefined || match.message !== undefined) return match?.message;
      matches.push(match);
    }
    while (matches.length < pageSize) {
      const another = this.match();
      if (another === undefined) break;
      matches.push(another);
    }
    this.read(matches);
    return undefined;
  }

  /** What was published since a message was read went to the client already: an older one must not follow. */
  private newest({ message, at }: Read): Message | undefined {
    const { topic } = message;
    const changedAt = this.retained.changedAt(topic);
    if (changedAt === undefined || changedAt <= at) return changedAt === undefined ? undefined : message;
    const atHand = this.retained.get(topic);
    if (atHand === undefined) this.again.push({ topic, message: undefined });
    return atHand;
  }

  private match(): RetainedMatch | undefined {
    const { value, done } = this.matches.next();
    if (done === true) this.ended = true;
    return done === true ? undefined : value;
  }

  private read(matches: readonly RetainedMatch[]): void {
    this.reading = true;
    const at = this.retained.changes;
    const wanted = matches.flatMap(({ topic, message }) => (message === undefined ? [topic] : []));
    this.store.readRetained(wanted).then(
      (records) => {
        const found = new Map(records.map((record) => [record.topic, Message.restored(record)]));
        for (const { topic, message = found.get(topic) } of matches)
          if (message !== undefined) this.page.push({ message, at });
        for (const message of found.values()) this.retained.bringBack(message, at);
        this.goOn();
      },
      () => this.goOn(), // the store tells of its failure itself; a retained message is no promise
    );
  }

  private pause(): void {
    this.reading = true;
    this.goOn();
  }

  /** In a turn of its own: a filter that matches a million messages holds nobody up. */
  private goOn(): void {
    setImmediate(() => {
      this.reading = false;
      this.ready();
    });
  }
}
