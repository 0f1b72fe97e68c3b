/** Every security event, by its stable code. */
const auditCodes = [
  'auth.failed',
  'auth.revoked',
  'client.connected',
  'client.disconnected',
  'client.protocol_error',
  'policy.denied',
  'policy.unusable_value',
  'session.theft',
  'session.taken_over',
  'limit.connections',
  'limit.sessions',
  'limit.subscriptions',
  'limit.retained',
  'limit.slow_reader',
  'tls.client_rejected',
  'tls.crl_expired',
  'tls.ocsp_unanswered',
  'cert.revoked',
  'cert.untrusted',
  'cert.expired',
  'psk.withdrawn',
  'storage.failing',
  'storage.recovered',
] as const;

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

/** Where events go. */
export type AuditSink = (code: AuditCode, fields: AuditFields) => void;

/** Counts every event and hands it on. */
export class Audit {
  readonly counts: Record<AuditCode, number> = Object.fromEntries(auditCodes.map((code) => [code, 0])) as Record<
    AuditCode,
    number
  >;

  constructor(private readonly sink: AuditSink) {}

  /** `count` is how many events of the kind the fields stand for. */
  record(code: AuditCode, fields: AuditFields, count = 1): void {
    this.counts[code] += count;
    this.sink(code, fields);
  }
}
