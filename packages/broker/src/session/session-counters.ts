/** What happened to messages of all sessions: plain numbers, read by the exporter. */
export interface SessionCounters {
  /** Messages not delivered, by reason. */
  readonly dropped: Record<
    'queue_full' | 'expired' | 'not_authorized' | 'too_large' | 'not_stored' | 'slow_reader',
    number
  >;
  /** Wills published. */
  wills: number;
}

export function newSessionCounters(): SessionCounters {
  return {
    dropped: { queue_full: 0, expired: 0, not_authorized: 0, too_large: 0, not_stored: 0, slow_reader: 0 },
    wills: 0,
  };
}
