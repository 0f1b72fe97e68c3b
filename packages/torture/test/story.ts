import type { History } from '../dist/check/history.js';
import { historyOf } from '../dist/check/history.js';
import { type ClientPlan, forever } from '../dist/plan.js';
import type { BrokerEvent, ClientEvent, Timed } from '../dist/record/event.js';

/** A history to be told in a test, event by event, each a hundred milliseconds after the one before. */
export class Story {
  private readonly plans: ClientPlan[] = [];
  private readonly records = new Map<string, Timed<ClientEvent>[]>();
  private readonly broker: Timed<BrokerEvent>[] = [];
  private at = 0;

  /** A client that takes part; of the session that it is to have, in seconds. */
  client(id: string, fields: Partial<ClientPlan> = {}): this {
    this.plans.push({ id, version: 5, expiry: forever, absence: 0, ...fields });
    this.records.set(id, []);
    return this;
  }

  happens(id: string, ...events: readonly ClientEvent[]): this {
    for (const event of events) this.records.get(id)?.push({ at: this.next(), ...event });
    return this;
  }

  brokerIs(...events: readonly BrokerEvent['e'][]): this {
    for (const e of events) this.broker.push({ at: this.next(), e });
    return this;
  }

  /** Nothing happens for so many milliseconds. */
  later(milliseconds: number): this {
    this.at += milliseconds;
    return this;
  }

  connects(id: string, fields: Partial<Extract<ClientEvent, { e: 'connecting' }>> = {}, present = false): this {
    const expiry = this.plans.find((plan) => plan.id === id)?.expiry ?? 0;
    return this.happens(id, { e: 'connecting', clean: false, expiry, ...fields }, { e: 'connected', present });
  }

  subscribes(id: string, filter: string): this {
    return this.happens(id, { e: 'subscribing', filter }, { e: 'subscribed', filter });
  }

  sends(id: string, n: number, fields: Partial<Extract<ClientEvent, { e: 'sending' }>> = {}): this {
    return this.happens(id, { e: 'sending', n, topic: 't/a', qos: 1, retain: false, empty: false, id: n, ...fields });
  }

  /** Sends a message, which is acknowledged. */
  publishes(id: string, n: number, fields: Partial<Extract<ClientEvent, { e: 'sending' }>> = {}): this {
    return this.sends(id, n, fields).happens(id, { e: 'done', n });
  }

  gets(id: string, from: string, n: number, fields: Partial<Extract<ClientEvent, { e: 'arrived' }>> = {}): this {
    return this.happens(id, { e: 'arrived', from, n, topic: 't/a', qos: 1, retain: false, id: n, ...fields });
  }

  end(): History {
    return historyOf(this.plans, this.records, this.broker);
  }

  private next(): number {
    this.at += 100;
    return this.at;
  }
}
