import { ReasonCode } from '@moat/codec';
import type { ClientLimits } from '../config/profiles.js';
import { TokenBucket } from '../guard/token-bucket.js';
import type { ConnectionContext } from './context.js';

/** What one client has spent, of each rate. */
export interface Meter {
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  readonly filters: TokenBucket;
  /** Whether the operator was told that it is slowed down. */
  told: boolean;
}

type Rate = 'max_publish_rate' | 'max_receive_rate' | 'max_subscribe_rate';

/** A connection, as far as its spending goes. */
interface Spender {
  readonly context: ConnectionContext;
  readonly state: string;
  meter: Meter | undefined;
  published: number;
  subscribed: number;
  lastReceived: number;
  readonly limits: ClientLimits;
  hold(): void;
  unhold(): void;
  close(reasonCode: ReasonCode, reason: string): void;
  auditEvent(code: 'limit.rate', reason: string): void;
  hit(limit: Rate | 'max_pause'): void;
}

/**
 * Charges a client what a read has brought. One that is above a rate is read no further until it is not; one that would
 * have to wait too long is disconnected. Looked at once a read, so that it costs a run of messages next to nothing.
 */
export function charge(connection: Spender, bytes: number): void {
  const { context, published, subscribed, limits } = connection;
  const { timers } = context;
  connection.published = 0;
  connection.subscribed = 0;
  const { max_publish_rate: messages, max_receive_rate: received, max_subscribe_rate: filters } = limits;
  if (messages === unlimited && received === unlimited && filters === unlimited) return;
  const { now } = timers;
  connection.meter ??= newMeter(now);
  const { meter } = connection;
  const forMessages = wait(meter.messages, published, messages, limits.spending_burst, now);
  const forBytes = wait(meter.bytes, bytes, received, limits.spending_burst, now);
  const forFilters = subscribed === 0 ? 0 : wait(meter.filters, subscribed, filters, limits.spending_burst, now);
  const pause = Math.max(forMessages, forBytes, forFilters);
  if (pause === 0 || connection.state !== 'connected') return;
  if (forMessages > 0) connection.hit('max_publish_rate');
  if (forBytes > 0) connection.hit('max_receive_rate');
  if (forFilters > 0) connection.hit('max_subscribe_rate');
  slowDown(connection, meter, pause, limits.max_pause * 1000);
}

const unlimited = Number.MAX_SAFE_INTEGER;

function newMeter(now: number): Meter {
  return { messages: new TokenBucket(now), bytes: new TokenBucket(now), filters: new TokenBucket(now), told: false };
}

function wait(bucket: TokenBucket, spent: number, rate: number, burst: number, now: number): number {
  return rate === unlimited ? 0 : bucket.borrow(spent, rate, rate * burst, now);
}

function slowDown(connection: Spender, meter: Meter, pause: number, most: number): void {
  const { timers, counters } = connection.context;
  if (pause > most) {
    counters.rateDisconnects++;
    connection.hit('max_pause');
    connection.auditEvent('limit.rate', 'disconnected: far above its rates');
    return connection.close(ReasonCode.messageRateTooHigh, 'far above its rates');
  }
  counters.ratePauses++;
  if (!meter.told) connection.auditEvent('limit.rate', 'slowed down: above its rates');
  meter.told = true;
  connection.lastReceived = timers.now + Math.ceil(pause); // not read is not silent
  connection.hold();
  timers.after(pause, () => connection.unhold());
}
