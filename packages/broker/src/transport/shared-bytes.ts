/** Bytes that several outboxes send without a copy of their own. */
export class SharedBytes {
  /** Outboxes that have them. */
  holders = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** No outbox has them any more. */
  free(): void {}
}

/** Counts the memory that outboxes hold. */
export interface OutgoingMemory {
  bytes: number;
}
