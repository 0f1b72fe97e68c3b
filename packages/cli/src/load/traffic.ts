import { type ClientEvents, LoadClient } from './client.js';
import { Latencies, type Latency } from './latencies.js';
import { ReadMemory } from './packet-scanner.js';
import type { QoS } from './packets.js';
import { Publisher } from './publisher.js';
import { paced, type Schedule, saturated } from './schedule.js';
import { Subscriber } from './subscriber.js';
import type { Target } from './target.js';

/**
 * Messages through a broker. `publishers` and `subscribers` of equal number form pairs; one publisher feeds all
 * subscribers, and one subscriber receives from all publishers.
 */
export interface TrafficPlan {
  readonly kind: 'traffic';
  readonly target: Target;
  readonly publishers: number;
  readonly subscribers: number;
  readonly qos: QoS;
  /** At least 12. */
  readonly payloadBytes: number;
  /** Messages that each publisher may have on their way. */
  readonly window: number;
  /** Messages a second in all; without it as many as the windows allow. */
  readonly perSecond?: number;
  /**
   * What becomes of the subscribers' sessions: `clean` end with their connections; `stored` do not; and those that are
   * `away` leave when they have subscribed, so that everything is queued. Default: `clean`.
   */
  readonly sessions?: 'clean' | 'stored' | 'away';
  /** How many topics each publisher sends to in turn. Default: 1. */
  readonly topics?: number;
  /** Topics are `PREFIX/N/N` or, where a publisher has several, `PREFIX/N/N-N`. Default: `bench`. */
  readonly topicPrefix?: string;
  /** Client identifiers are PREFIX and a number. Default: `bench-`. */
  readonly clientIdPrefix?: string;
}

export interface TrafficResult {
  readonly sent: number;
  /** What the subscribers should have received and what they did; more or less means lost or doubled messages. */
  readonly expected: number;
  readonly delivered: number;
  /** From the first message sent to the last one delivered. */
  readonly elapsedMs: number;
  readonly latency: Latency;
  /** From PUBLISH to PUBACK or PUBREC; of no samples with QoS 0. */
  readonly acknowledgement: Latency;
}

/** The run is over when nothing has moved for this long: what is missing then is lost. */
const stallMs = 3000;
const pollMs = 1;
const latencyEvery = 64;

export class Traffic {
  readonly #plan: TrafficPlan;
  readonly #latencies: Latencies;
  readonly #acknowledgements: Latencies;
  readonly #clients: LoadClient[] = [];
  readonly #publishers: Publisher[] = [];
  readonly #subscribers: Subscriber[] = [];
  #step: (() => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  private constructor(plan: TrafficPlan) {
    this.#plan = plan;
    const every = plan.perSecond === undefined ? latencyEvery : 1;
    this.#latencies = new Latencies(every);
    this.#acknowledgements = new Latencies(every);
  }

  /** Connects and subscribes every client. */
  static async open(plan: TrafficPlan): Promise<Traffic> {
    const traffic = new Traffic(plan);
    const memory = new ReadMemory(plan.payloadBytes + 1024);
    for (let index = 0; index < plan.subscribers; index++) await traffic.#openSubscriber(memory, index);
    if (plan.sessions === 'away') await traffic.#sendSubscribersAway();
    for (let index = 0; index < plan.publishers; index++) await traffic.#openPublisher(memory, index);
    return traffic;
  }

  /** Sends for `durationMs`, then waits until everything has arrived or nothing moves any more. */
  async run(durationMs: number): Promise<TrafficResult> {
    const schedule = this.#schedule();
    const before = this.#totals();
    const startedAt = performance.now();
    const endedAt = await this.#drive(schedule, startedAt, startedAt + durationMs);
    const after = this.#totals();
    return {
      sent: after.sent - before.sent,
      expected: after.expected - before.expected,
      delivered: after.delivered - before.delivered,
      elapsedMs: endedAt - startedAt,
      latency: this.#latencies.take(),
      acknowledgement: this.#acknowledgements.take(),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  #schedule(): Schedule {
    const { perSecond, qos, window } = this.#plan;
    if (perSecond !== undefined) return paced(perSecond);
    return saturated(qos === 0 ? Math.ceil(window / 2) : 1);
  }

  /** Resolves with the time at which the last message arrived. */
  #drive(schedule: Schedule, startedAt: number, stopAt: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let movedAt = startedAt;
      let scheduled = false;
      const end = (settle: () => void): void => {
        clearInterval(timer);
        this.#step = undefined;
        this.#fail = undefined;
        settle();
      };
      const step = (): void => {
        const now = performance.now();
        if (now < stopAt) schedule.step(this.#publishers, now);
        else if (this.#isComplete() || now - movedAt > stallMs) end(() => resolve(movedAt));
      };
      // Once per turn of the event loop, however many sockets had something to read in it.
      this.#step = () => {
        movedAt = performance.now();
        if (scheduled) return;
        scheduled = true;
        setImmediate(() => {
          scheduled = false;
          if (this.#step !== undefined) step();
        });
      };
      this.#fail = (error) => end(() => reject(error));
      const timer = setInterval(step, pollMs);
      step();
    });
  }

  #isComplete(): boolean {
    return this.#publishers.every((publisher) => publisher.complete === publisher.sent);
  }

  #totals(): { sent: number; expected: number; delivered: number } {
    let sent = 0;
    let expected = 0;
    for (const publisher of this.#publishers) {
      sent += publisher.sent;
      expected += publisher.sent * publisher.subscriberCount;
    }
    const delivered = this.#subscribers.reduce((sum, subscriber) => sum + subscriber.received, 0);
    return { sent, expected, delivered };
  }

  /** Nobody is left to deliver to: a message is complete when it is acknowledged. */
  async #sendSubscribersAway(): Promise<void> {
    await this.close();
    this.#clients.length = 0;
    this.#subscribers.length = 0;
  }

  /** Publishers and subscribers with the same group number belong together. */
  #group(index: number): number {
    return index % Math.min(this.#plan.publishers, this.#plan.subscribers);
  }

  async #openSubscriber(memory: ReadMemory, index: number): Promise<void> {
    const { publishers, subscribers, qos, topics = 1 } = this.#plan;
    const subscriber = new Subscriber(publishers, this.#latencies);
    const events = { delivered: (publisher: number, sentAt: number) => subscriber.onDelivered(publisher, sentAt) };
    const client = await this.#connect(memory, `s${index}`, events, (this.#plan.sessions ?? 'clean') === 'clean');
    const group = this.#group(index);
    await client.subscribe(this.#topic(group, publishers > subscribers || topics > 1 ? '+' : `${group}`), qos);
    this.#subscribers.push(subscriber);
  }

  async #openPublisher(memory: ReadMemory, index: number): Promise<void> {
    const { qos, payloadBytes, window, topics: topicCount = 1 } = this.#plan;
    const group = this.#group(index);
    const subscribers = this.#subscribers.filter((_, subscriber) => this.#group(subscriber) === group);
    const client = await this.#connect(memory, `p${index}`, {
      received: (packetId) => this.#acknowledgements.add(publisher.sentAt(packetId)),
      acknowledged: () => publisher.onAcknowledged(),
    });
    const digits = String(topicCount).length;
    const topics = Array.from({ length: topicCount }, (_, number) =>
      this.#topic(group, topicCount === 1 ? `${index}` : `${index}-${String(number).padStart(digits, '0')}`),
    );
    const publisher = new Publisher(client, index, { topics, qos, payloadBytes, window }, subscribers);
    this.#publishers.push(publisher);
  }

  async #connect(
    memory: ReadMemory,
    name: string,
    events: Pick<ClientEvents, 'delivered' | 'received' | 'acknowledged'>,
    cleanSession = true,
  ): Promise<LoadClient> {
    const { target, clientIdPrefix = 'bench-' } = this.#plan;
    const all: ClientEvents = {
      ...events,
      readDone: () => this.#step?.(),
      failed: (error) => this.#fail?.(error),
    };
    const client = await LoadClient.connect(target, memory, `${clientIdPrefix}${name}`, all, cleanSession);
    this.#clients.push(client);
    return client;
  }

  #topic(group: number, last: string): string {
    return `${this.#plan.topicPrefix ?? 'bench'}/${group}/${last}`;
  }
}
