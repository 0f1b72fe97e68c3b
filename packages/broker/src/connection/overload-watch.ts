import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { ReasonCode } from '@moat/codec';
import type { OverloadStatus } from '../admin/status.js';
import type { Audit } from '../audit/audit.js';
import type { Limits } from '../config/profiles.js';
import { Overload, overloadSteps, type Pressure } from '../guard/overload.js';
import type { Session } from '../session/session.js';
import { AfterCrowd } from './after-crowd.js';
import type { Connection } from './connection.js';
import type { ConnectionContext } from './context.js';

/** Milliseconds between two looks. */
const interval = 250;
/** Publishers that are paused, and clients that are disconnected, at one look. */
const worst = 5;
/** Bytes in one socket above which it counts as a slow reader while QoS 0 is dropped. */
const slowReader = 65_536;
/** Messages of a stored session's queue that are in memory. */
const inMemory = 1_024;
const heapLimit = getHeapStatistics().heap_size_limit;

/** Looks four times a second how things stand, and does what the steps of an overload say. */
export class OverloadWatch {
  readonly overload = new Overload();
  private readonly entered = { refuse: 0, pause: 0, drop: 0, disconnect: 0 };
  private paused = 0;
  private disconnected = 0;
  private pressure: Pressure = { delay: 0, memory: 0, buffered: 0 };
  private expectedAt = performance.now() + interval;
  private readonly afterCrowd = new AfterCrowd();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly context: ConnectionContext,
    private readonly connections: Iterable<Connection>,
    private readonly audit: Pick<Audit, 'record'>,
  ) {
    this.timer = setInterval(() => this.look(), interval);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.afterCrowd.stop();
  }

  get status(): OverloadStatus {
    const { overload, pressure, paused, disconnected } = this;
    const entered = { ...this.entered };
    const { bytes: buffered } = this.context.buffered;
    return { steps: overloadSteps.slice(0, overload.steps), pressure, buffered, entered, paused, disconnected };
  }

  private look(): void {
    this.relieve();
    this.afterCrowd.look(this.context.admission.connections, this.overload.steps === 0);
  }

  private relieve(): void {
    const { overload, context } = this;
    this.pressure = this.measure();
    const { entered, left } = overload.look(this.pressure, limitsOf(context.limits));
    if (entered !== undefined) {
      this.entered[entered]++;
      this.audit.record('overload.entered', { action: entered, reason: inWords(this.pressure) });
    }
    if (left !== undefined) this.audit.record('overload.left', { action: left, reason: inWords(this.pressure) });
    context.slowReader = overload.has('drop') ? slowReader : Number.POSITIVE_INFINITY;
    const ranked = overload.has('pause') ? [...this.connections].filter(({ state }) => state === 'connected') : [];
    if (overload.has('disconnect')) this.disconnectWorst(ranked);
    this.pauseGreediest(ranked);
    const hasRoomAgain = context.buffered.recovered();
    context.countsSenders = overload.steps > 0;
    if (!context.countsSenders && !hasRoomAgain) return; // to visit ten thousand clients takes a millisecond
    for (const connection of this.connections) {
      connection.bytesSince = 0;
      if (hasRoomAgain) connection.deliver();
    }
  }

  private measure(): Pressure {
    const now = performance.now();
    const late = Math.max(0, now - this.expectedAt);
    this.expectedAt = now + interval;
    const { used_heap_size: heapUsed, external_memory: external } = getHeapStatistics();
    const buffered = this.context.buffered.bytes;
    // A single late turn is no overload.
    const memory = 100 * Math.max(heapUsed / heapLimit, (heapUsed + external) / available());
    return { delay: (this.pressure.delay + late) / 2, memory, buffered };
  }

  private pauseGreediest(connections: Connection[]): void {
    connections.sort((one, other) => other.bytesSince - one.bytesSince);
    for (const connection of connections.slice(0, worst)) {
      if (connection.bytesSince === 0 || connection.state !== 'connected') return;
      this.paused++;
      connection.hold();
      this.context.timers.after(2 * interval, () => connection.unhold());
    }
  }

  /** Those for whom most is kept; where little is, those that send most. */
  private disconnectWorst(connections: Connection[]): void {
    const { buffered, delay } = this.pressure;
    const rank = buffered > 0 && delay < this.context.limits.max_loop_delay ? bufferedFor : sentBy;
    connections.sort((one, other) => rank(other) - rank(one));
    for (const connection of connections.slice(0, worst)) {
      if (rank(connection) === 0) return;
      this.disconnected++;
      connection.auditEvent('limit.overload', 'disconnected to relieve the broker');
      connection.close(ReasonCode.serverBusy, 'the server is overloaded');
      // What waits for it is what there is too much of.
      if (connection.outbox.waiting > slowReader) connection.wire.destroy();
    }
  }
}

function bufferedFor({ outbox, agreement }: Connection): number {
  return outbox.waiting + (agreement === undefined ? 0 : keptFor(agreement.session));
}

/** Of a long queue of a stored session most is in the store alone. */
function keptFor({ stored, queued, queuedBytes, bytesInFlight }: Session): number {
  return bytesInFlight + (stored && queued > inMemory ? (queuedBytes * inMemory) / queued : queuedBytes);
}

function sentBy({ bytesSince }: Connection): number {
  return bytesSince;
}

/** Bytes of memory that this process may have. */
function available(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

function limitsOf({ max_loop_delay, max_memory_share, max_buffered_bytes }: Limits): Pressure {
  return { delay: max_loop_delay, memory: max_memory_share, buffered: max_buffered_bytes };
}

function inWords({ delay, memory, buffered }: Pressure): string {
  const mebibytes = Math.round(buffered / 1_048_576);
  return `the loop is ${Math.round(delay)} ms late, ${Math.round(memory)} % of memory in use, ${mebibytes} MiB wait for clients`;
}
