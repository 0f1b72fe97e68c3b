import assert from 'node:assert/strict';
import type { Wire } from '../../dist/transport/wire.js';

/** A wire that takes bytes when it is told to: a socket cannot be made to block at will. */
export class SlowWire implements Wire {
  readonly origin = {
    protocol: 'mqtt',
    listener: 'mqtt://127.0.0.1:1883',
    remoteAddress: '127.0.0.1',
    remotePort: 1,
    admitted: undefined,
    tls: undefined,
  } as const;
  /** Whether what is written leaves at once. */
  fast = true;
  writes = 0;
  /** What has yet to leave. */
  readonly held: Uint8Array[] = [];
  private readonly gone: Buffer[] = [];

  get pending(): number {
    return this.held.reduce((sum, { length }) => sum + length, 0);
  }

  get receivedBytes(): Buffer {
    return Buffer.concat(this.gone);
  }

  get received(): string {
    return this.receivedBytes.toString();
  }

  write(bytes: Uint8Array): boolean {
    return this.writeAll([bytes]);
  }

  writeAll(pieces: readonly Uint8Array[]): boolean {
    assert.equal(this.held.length, 0, 'a write while another is pending');
    this.writes++;
    for (const piece of pieces) assert.notEqual(piece.length, 0);
    this.held.push(...pieces);
    if (this.fast) this.leave();
    return this.fast;
  }

  /** Everything leaves: only now are the bytes looked at. */
  leave(): void {
    this.gone.push(...this.held.splice(0).map((piece) => Buffer.from(piece)));
  }

  start(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}
