import type { TrafficCounters } from '../audit/traffic-counters.js';
import type { LimitHits } from '../config/limit-hits.js';
import type { Admission } from '../guard/admission.js';
import type { Budget } from '../guard/budget.js';
import type { OverloadStep, Pressure } from '../guard/overload.js';
import type { Unfinished } from '../guard/unfinished.js';
import type { SessionCounters } from '../session/session-counters.js';
import type { HandshakeGate } from '../transport/handshake-gate.js';

/** What an overload has come to so far. */
export interface OverloadStatus {
  /** The steps that are taken at the moment. */
  readonly steps: readonly OverloadStep[];
  readonly pressure: Pressure;
  /** Bytes that wait for clients at this moment. */
  readonly buffered: number;
  /** Since the start. */
  readonly entered: Readonly<Record<OverloadStep, number>>;
  readonly paused: number;
  readonly disconnected: number;
}

/** What the guard sees and has done. */
export interface GuardStatus {
  /** Open sockets, those without a finished CONNECT included. */
  readonly connections: number;
  readonly connectionsAllowed: number;
  readonly withoutConnect: number;
  readonly anonymous: number;
  /** Since the start: those that made room for others. */
  readonly evicted: { readonly unfinished: number; readonly anonymous: number };
  readonly handshakes: { readonly active: number; readonly abandoned: number };
  /** Bytes kept of packets that are not whole yet, and how many clients had to give up theirs. */
  readonly unfinished: { readonly bytes: number; readonly evicted: number };
  /** Bytes kept of topics and filters, of all clients: of filters, of topic aliases, and of what the policy decided. */
  readonly topics: { readonly subscriptions: number; readonly aliases: number; readonly decisions: number };
}

interface Guards {
  readonly admission: Admission;
  readonly gate: HandshakeGate;
  readonly unfinished: Unfinished;
  readonly subscriptions: Budget;
  readonly aliases: Budget;
  readonly decisions: Budget;
}

export function guardStatus(guards: Guards): GuardStatus {
  const { admission, gate, unfinished, subscriptions, aliases, decisions } = guards;
  const { guests, connections, most } = admission;
  const { active, abandoned } = gate;
  return {
    connections,
    connectionsAllowed: most,
    withoutConnect: guests.waiting,
    anonymous: guests.anonymous,
    evicted: { ...guests.evicted },
    handshakes: { active, abandoned },
    unfinished: { bytes: unfinished.bytes, evicted: unfinished.evicted },
    topics: { subscriptions: subscriptions.bytes, aliases: aliases.bytes, decisions: decisions.bytes },
  };
}

/** What a running broker says of itself. Times in seconds, sizes in bytes. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly uptime: number;
  readonly connections: number;
  readonly connectionsMaximum: number;
  readonly sessions: number;
  readonly sessionsDisconnected: number;
  readonly wills: number;
  readonly willBytes: number;
  readonly subscriptions: number;
  readonly retained: { readonly messages: number; readonly bytes: number };
  /** Why nothing can be stored at the moment; absent as long as it can. */
  readonly storageFailure?: string;
  readonly traffic: TrafficCounters;
  readonly dropped: SessionCounters['dropped'];
  readonly limitHits: LimitHits;
  readonly memory: { readonly rss: number; readonly heapUsed: number };
  readonly listeners: readonly { readonly protocol: string; readonly address: string; readonly port: number }[];
  readonly guard: GuardStatus & { readonly overload: OverloadStatus };
  /** Security events since the start, by code. */
  readonly events: Readonly<Record<string, number>>;
}
