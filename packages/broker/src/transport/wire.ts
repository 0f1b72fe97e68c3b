import type { TLSSocket } from 'node:tls';

/** What a wire reports to its owner. */
export interface WireReceiver {
  /** Bytes `start` to `end` of `buffer` arrived. The buffer is the transport's and is reused afterwards. */
  received(buffer: Uint8Array, start: number, end: number): void;
  /** So many bytes are kept below of a message that is not whole yet; told where that changes and is not little. */
  keeps(bytes: number): void;
  /** Everything written so far has left. Told where it did not leave at once, and where the writer asked for it. */
  drained(): void;
  /** The wire is gone; nothing else is reported after this. */
  closed(error: Error | undefined): void;
}

export type WireProtocol = 'mqtt' | 'mqtts' | 'ws' | 'wss';

/** What whoever let a connection in wants to be told of it. */
export interface Admitted {
  /** Somebody has proven at its address who it is. */
  readonly isKnown: boolean;
  /** It has gone; told at least once. */
  left(): void;
}

/** Where a wire came in and from whom. */
export interface WireOrigin {
  readonly protocol: WireProtocol;
  /** Name of the listener: `protocol:port`. */
  readonly listener: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly admitted: Admitted | undefined;
  /** The TLS layer, where there is one: it holds the client certificate and the exporter. */
  readonly tls: TLSSocket | undefined;
}

/**
 * One accepted, ordered, lossless two-way stream of bytes, whatever carries it: TCP, TLS, WebSocket [MQTT-4.2-1].
 * Nothing of it is MQTT. Writes take ownership of the bytes until they have left.
 */
export interface Wire {
  readonly origin: WireOrigin;
  /** Begins to report; called once. */
  start(receiver: WireReceiver): void;
  /**
   * Hands bytes over; true when all of them left the process at once, so that their memory is free again. `drained` is
   * reported when they have left later, and with `tell` in any case.
   */
  write(bytes: Uint8Array, tell: boolean): boolean;
  /** As {@link write}, for several pieces that follow one another, in one system call where possible. */
  writeAll(pieces: readonly Uint8Array[], tell: boolean): boolean;
  /** Bytes handed over that have not left yet. */
  readonly pending: number;
  pause(): void;
  resume(): void;
  /**
   * Sends what is pending, then closes; cut off if that takes too long.
   * @param peerLeaves the peer has said that it goes: nothing that it may still send matters
   */
  end(peerLeaves: boolean): void;
  /** Closes at once. */
  destroy(): void;
}
