import type { Random } from '@moat/testkit';
import { type ClientPlan, endFilter, endTopic } from '../plan.js';
import type { SessionClient } from './session-client.js';

/** What everybody does at the end, one after the other; each begins when all have done the one before. */
export const finale = ['settle', 'probe', 'read', 'mark'] as const;
export type Phase = (typeof finale)[number];

/** Messages that may be under way at once. */
const window = 12;
/** From one attempt to connect to the next. */
const retryMilliseconds = 50;
/** How much longer than its expiry a session is left alone at the end, in milliseconds. */
const surelyExpired = 2_500;

/** Lets one client live at random, by steps of a few milliseconds, until it is told to come to an end. */
export class Behaviour {
  private phase: Phase | undefined;
  private done = false;
  /** When it is to connect again, by the clock of {@link step}. */
  private returns = 0;
  private marked = false;

  constructor(
    private readonly client: SessionClient,
    private readonly random: Random,
  ) {}

  /** Whether it has done what the phase asks. */
  get isDone(): boolean {
    return this.done;
  }

  begin(phase: Phase, now: number): void {
    const { plan } = this.client;
    this.phase = phase;
    this.done = false;
    if (phase === 'settle' && plan.expiry > 0 && plan.expiry < 60)
      this.goAway(now, plan.expiry * 1_000 + surelyExpired);
    if (phase === 'probe') for (const topic of plan.publishes ?? []) this.client.send({ ...topic, empty: false }, 0);
    if (phase === 'read' && plan.reads) this.goAway(now, 0);
    if (phase === 'mark' && plan.marks) this.client.send({ topic: endTopic, qos: 1, retain: false, empty: false }, 0);
  }

  arrived(topic: string): void {
    if (topic === endTopic) this.marked = true;
  }

  /** `now` in milliseconds. */
  step(now: number): void {
    const { client, random } = this;
    if (!client.online) {
      if (now < this.returns) return;
      this.returns = now + retryMilliseconds;
      client.connect(this.wantsClean());
      return;
    }
    if (!client.connected) return;
    if (this.phase !== undefined) this.finish();
    else if (random.chance(2)) this.depart(now);
    else {
      this.publish();
      this.change();
    }
  }

  private wantsClean(): boolean {
    const { plan, state } = this.client;
    if (plan.expiry === 0 || state.renewing) return true;
    return plan.renews === true && this.phase === undefined && this.random.chance(30);
  }

  /** Ends the connection in one of the ways that there are. */
  private depart(now: number): void {
    const { client, random } = this;
    this.returns = now + random.below(client.plan.absence);
    const how = random.below(4);
    if (how === 0) client.leave('goodbye');
    else if (how === 1) client.connect(this.wantsClean());
    else client.leave('lost');
  }

  private goAway(now: number, milliseconds: number): void {
    this.returns = now + milliseconds;
    this.client.leave('lost');
  }

  private publish(): void {
    const { client, random } = this;
    const { publishes } = client.plan;
    if (publishes === undefined) return;
    for (let left = random.below(6); left > 0 && client.state.underWay.size < window; left--) {
      const topic = random.pick(publishes);
      const size = random.chance(2) ? random.below(30_000) : random.below(300);
      client.send({ ...topic, empty: topic.retain && random.chance(20) }, size);
    }
  }

  /** Subscribes to what it keeps, and to and from what it changes. */
  private change(): void {
    const { client, random } = this;
    if (!client.mayAsk) return;
    const missing = this.missing();
    if (missing !== undefined) client.ask(missing, true);
    else if (client.plan.changes !== undefined && random.chance(8)) {
      const filter = random.pick(client.plan.changes);
      client.ask(filter, client.state.filters.get(filter) !== 'subscribed');
    }
  }

  private missing(): string | undefined {
    const { plan, state } = this.client;
    return wanted(plan).find((filter) => state.filters.get(filter) !== 'subscribed');
  }

  private finish(): void {
    const { client } = this;
    if (!client.mayAsk) return;
    const missing = this.missing();
    if (missing !== undefined) return client.ask(missing, true);
    for (const [filter, state] of client.state.filters) if (state === 'unsure') return client.ask(filter, true);
    this.done = client.quiet && (this.phase !== 'mark' || this.marked || !waits(client.plan));
  }
}

/** Filters that a client is to have whatever happens. */
function wanted(plan: ClientPlan): string[] {
  return waits(plan) ? [...(plan.keeps ?? []), endFilter] : [];
}

/** Whether it gets messages, and so waits for the last. */
function waits({ keeps, changes }: ClientPlan): boolean {
  return keeps !== undefined || changes !== undefined;
}
