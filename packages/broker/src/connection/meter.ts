import { ReasonCode } from '@moat/codec';
import type { ListenerLimitName } from '../config/profiles.js';
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

/** A connection, as far as its spending goes. */
interface Spender {
  readonly context: ConnectionContext;
  readonly state: string;
  meter: Meter | undefined;
  published: number;
  subscribed: number;
  lastReceived: number;
  limit(name: ListenerLimitName): number;
  hold(): void;
  unhold(): void;
  close(reasonCode: ReasonCode, reason: string): void;
  auditEvent(code: 'limit.rate', reason: string): void;
}

/**
 * Charges a client what a read has brought. One that is above a rate is read no further until it is not; one that would
 * have to wait too long is disconnected. Looked at once a read, so that it costs a run of messages next to nothing.
 */
export function charge(connection: Spender, bytes: number): void {
  const { context, published, subscribed } = connection;
  const { spending_burst, max_pause } = context.limits;
  connection.published = 0;
  connection.subscribed = 0;
  const { now } = context.timers;
  connection.meter ??= {
    messages: new TokenBucket(now),
    bytes: new TokenBucket(now),
    filters: new TokenBucket(now),
    told: false,
  };
  const wait = (bucket: TokenBucket, spent: number, name: ListenerLimitName): number => {
    const rate = connection.limit(name);
    return rate === Number.MAX_SAFE_INTEGER ? 0 : bucket.borrow(spent, rate, rate * spending_burst, now);
  };
  const pause = Math.max(
    wait(connection.meter.messages, published, 'max_publish_rate'),
    wait(connection.meter.bytes, bytes, 'max_receive_rate'),
    wait(connection.meter.filters, subscribed, 'max_subscribe_rate'),
  );
  if (pause > 0 && connection.state === 'connected') slowDown(connection, connection.meter, pause, max_pause * 1000);
}

function slowDown(connection: Spender, meter: Meter, pause: number, most: number): void {
  const { timers, counters } = connection.context;
  if (pause > most) {
    counters.rateDisconnects++;
    connection.auditEvent('limit.rate', 'disconnected: far above its rates');
    return connection.close(ReasonCode.messageRateTooHigh, 'far above its rates');
  }
  counters.ratePauses++;
  if (!meter.told) connection.auditEvent('limit.rate', 'slowed down: above its rates');
  meter.told = true;
  connection.lastReceived = timers.now + pause; // not read is not silent
  connection.hold();
  timers.after(pause, () => connection.unhold());
}
