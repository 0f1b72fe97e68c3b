import type { QoS } from '@moat/cli/load';
import type { Broker } from './peer/peer.js';

/** What one measurement of one broker finds; a number that the scenario does not measure is left out. */
export interface Sample {
  /** Broker CPU-microseconds per delivered message, or per connection. */
  readonly cpu?: number;
  /** Delivered messages, or connections, a second of wall time. */
  readonly perSecond?: number;
  /** Milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** Resident bytes of the broker: in all, or for each connection where the scenario says so. */
  readonly memory?: number;
  /** Share of the wall time for which the broker was computing. */
  readonly busy?: number;
}

export type Metric = keyof Sample;

export type Bound = { readonly atMost: number } | { readonly atLeast: number };

/** What Moat has to reach: a bound in the metric's own unit, or as a multiple of a peer's number. */
export type Floor = Bound & {
  readonly metric: Metric;
  readonly against?: 'mosquitto' | 'aedes' | 'nats';
};

/** How long and how much to measure. */
export interface Effort {
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly repeat: number;
  /** Idle connections, plain and TLS. */
  readonly idlePlain: number;
  readonly idleSecure: number;
  /** Connections of the connection rate, plain and TLS. */
  readonly connectPlain: number;
  readonly connectSecure: number;
  /** How long a broker may tidy up before its memory is read. */
  readonly settleMs: number;
  /** What a store holds that a broker starts on. */
  readonly storedSessions: number;
  readonly storedRetained: number;
  /** Messages for sessions that are away. */
  readonly queued: number;
}

export interface Scenario {
  /** On the command line. */
  readonly name: string;
  /** The table it belongs to. */
  readonly group: string;
  /** In the table. */
  readonly title: string;
  readonly floors: readonly Floor[];
  /** That of its messages, where it has any of QoS 1 or 2. */
  readonly qos?: QoS;
  measure(broker: Broker, effort: Effort): Promise<Sample>;
}
