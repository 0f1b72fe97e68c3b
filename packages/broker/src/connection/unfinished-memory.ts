import { type MemoryOwner, ReasonCode } from '@moat/codec';
import type { Beginner, Unfinished } from '../guard/unfinished.js';

/** A connection, as far as this goes. */
interface Client {
  readonly isProven: boolean;
  readonly state: string;
  close(reasonCode: ReasonCode, reason: string): void;
  destroy(reason: string): void;
  auditEvent(code: 'limit.unfinished', reason: string): void;
}

/** What one client has begun and not finished: kept by its parser, or by its wire below that. */
export class UnfinishedMemory implements MemoryOwner, Beginner {
  /** Bytes that the wire keeps. */
  private kept = 0;

  constructor(
    private readonly client: Client,
    private readonly all: Unfinished,
  ) {}

  get isProven(): boolean {
    return this.client.isProven;
  }

  reserve(bytes: number): boolean {
    return this.all.reserve(this, bytes);
  }

  release(bytes: number): void {
    this.all.release(this, bytes);
  }

  /** The wire keeps so much now. */
  keeps(bytes: number): void {
    const more = bytes - this.kept;
    this.kept = bytes;
    if (more > 0) this.reserve(more);
    else this.release(-more);
  }

  giveUp(): void {
    const { client } = this;
    const reason = 'no memory for its packet, which is not whole yet';
    client.auditEvent('limit.unfinished', reason);
    if (client.state === 'connected') client.close(ReasonCode.quotaExceeded, reason);
    else client.destroy(reason);
  }

  /** The client is gone. */
  end(): void {
    this.all.forget(this);
  }
}
