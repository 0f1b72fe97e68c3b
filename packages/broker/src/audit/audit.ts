import type { Log } from './log.js';

/** Events that strangers can cause as often as they like: of many of a kind the journal keeps the number. */
export const floodable = [
  'auth.failed',
  'client.protocol_error',
  'broker.fault',
  'policy.denied',
  'policy.unusable_value',
  'policy.withdrawn',
  'session.theft',
  'session.taken_over',
  'limit.connections',
  'limit.connect_rate',
  'limit.evicted',
  'limit.flapping',
  'limit.rate',
  'limit.overload',
  'limit.sessions',
  'limit.wills',
  'limit.subscriptions',
  'limit.retained',
  'limit.slow_reader',
  'limit.certificate_requests',
  'limit.unfinished',
  'proxy.rejected',
  'ban.refused',
  'tls.client_rejected',
  'tls.crl_expired',
  'tls.ocsp_unanswered',
  'cert.request_refused',
] as const;

/** Events that somebody had to be let in for, or the operator did: each is kept. */
const singular = [
  'auth.locked',
  'auth.revoked',
  'client.connected',
  'client.disconnected',
  'overload.entered',
  'overload.left',
  'ban.added',
  'ban.removed',
  'cert.revoked',
  'cert.untrusted',
  'cert.expired',
  'cert.issued',
  'cert.renewed',
  'cert.revocation',
  'cert.granted',
  'cert.log_cut',
  'psk.withdrawn',
  'storage.failing',
  'storage.recovered',
  'broker.started',
  'broker.stopped',
  'config.reloaded',
  'policy.reloaded',
  'policy.refused',
  'passwords.reloaded',
  'passwords.refused',
  'tls.reloaded',
  'tls.refused',
  'admin.command',
  'audit.failing',
  'audit.recovered',
  'audit.lost',
  'audit.torn',
] as const;

/** Every security event, by its stable code. */
export const auditCodes = [...floodable, ...singular] as const;

export type AuditCode = (typeof auditCodes)[number];

/** What is known of an event besides its code. Never a secret. */
export interface AuditFields {
  readonly address?: string | undefined;
  readonly listener?: string | undefined;
  readonly clientId?: string | undefined;
  readonly username?: string | undefined;
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  readonly action?: string | undefined;
  /** Place of the rule that decided, `file:line`. */
  readonly rule?: string | undefined;
  /** How many of its kind it stands for; left out for one. */
  readonly count?: number;
}

/** Whoever keeps events. */
export interface AuditKeeper {
  record(code: AuditCode, fields: AuditFields): void;
  /** Why it can keep nothing; undefined while all is well. */
  readonly failure: Error | undefined;
}

const errors: ReadonlySet<AuditCode> = new Set<AuditCode>([
  'broker.fault',
  'storage.failing',
  'audit.failing',
  'cert.log_cut',
  'policy.refused',
  'passwords.refused',
  'tls.refused',
]);

/** Counts every event, writes it to the log, and hands it to who keeps it. */
export class Audit {
  readonly counts: Record<AuditCode, number> = Object.fromEntries(auditCodes.map((code) => [code, 0])) as Record<
    AuditCode,
    number
  >;
  /** Which events are kept. */
  keep: 'everything' | 'problems' | 'nothing' = 'everything';
  /** Whether clients are let in whose doings cannot be kept. */
  lenient = true;
  keeper: AuditKeeper | undefined;

  constructor(private readonly log: Pick<Log, 'info' | 'error'>) {}

  /** Whether nobody is to be let in, since that could not be kept. */
  get refuses(): boolean {
    return !this.lenient && this.keeper?.failure !== undefined;
  }

  /** `count` is how many events of the kind the fields stand for. */
  record(code: AuditCode, fields: AuditFields, count = 1): void {
    this.counts[code] += count;
    this.log[errors.has(code) ? 'error' : 'info']({ event: code, ...fields }, code);
    if (this.isKept(code)) this.keeper?.record(code, fields);
  }

  private isKept(code: AuditCode): boolean {
    if (this.keep !== 'problems') return this.keep === 'everything';
    return code !== 'client.connected' && code !== 'client.disconnected';
  }
}
