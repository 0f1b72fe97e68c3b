import type { TrafficCounters } from '../audit/traffic-counters.js';
import type { SessionCounters } from '../session/session-counters.js';

/** What a running broker says of itself. Times in seconds, sizes in bytes. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly uptime: number;
  readonly connections: number;
  readonly connectionsMaximum: number;
  readonly sessions: number;
  readonly sessionsDisconnected: number;
  readonly subscriptions: number;
  readonly retained: { readonly messages: number; readonly bytes: number };
  /** Why nothing can be stored at the moment; absent as long as it can. */
  readonly storageFailure?: string;
  readonly traffic: TrafficCounters;
  readonly dropped: SessionCounters['dropped'];
  readonly memory: { readonly rss: number; readonly heapUsed: number };
  readonly listeners: readonly { readonly protocol: string; readonly address: string; readonly port: number }[];
  /** Security events since the start, by code. */
  readonly events: Readonly<Record<string, number>>;
}
