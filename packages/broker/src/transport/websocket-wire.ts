import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketProgress } from './websocket-progress.js';
import type { Wire, WireOrigin, WireReceiver } from './wire.js';

/** Milliseconds that a closing wire has to send what is pending and to be answered. */
const closeGrace = 5_000;
/** Status codes of RFC 6455 §7.4.1. */
const normalClosure = 1000;
const unsupportedData = 1003;
/** What is kept of an unfinished message without being told, and while the peer is awaited to answer a close. */
const little = 4_096;

/** A wire over a WebSocket: MQTT bytes in binary messages, cut anywhere (MQTT 5.0 §6). */
export class WebSocketWire implements Wire {
  private receiver: WireReceiver | undefined;
  private error: Error | undefined;
  private isClosing = false;
  private isClosed = false;
  private readonly progress = new WebSocketProgress();
  private told = 0;
  private cutOff: NodeJS.Timeout | undefined = undefined;
  private readonly written = (): void => {
    if (this.pending === 0) this.receiver?.drained();
  };

  constructor(
    private readonly socket: WebSocket,
    readonly origin: WireOrigin,
    /** What it was made of. */
    stream: Duplex,
    /** Bytes that one message may come to, with all that it is wrapped in. */
    private readonly mostUnfinished: number,
  ) {
    socket.pause();
    stream.on('data', (read: Buffer) => this.follow(read));
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary)
        this.receiver?.received(data, 0, data.length); // [MQTT-6.0.0-2]
      else this.refuseText(); // [MQTT-6.0.0-1]
    });
    socket.on('error', (error) => {
      this.error = error;
      socket.terminate();
    });
    socket.on('close', () => {
      clearTimeout(this.cutOff);
      this.over();
    });
  }

  get pending(): number {
    return this.socket.bufferedAmount;
  }

  start(receiver: WireReceiver): void {
    this.receiver = receiver;
    if (this.isClosed) queueMicrotask(() => receiver.closed(this.error));
    else this.socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.socket.readyState !== this.socket.OPEN) return true;
    this.socket.send(bytes, { binary: true }, this.written);
    return this.pending === 0;
  }

  writeAll(pieces: readonly Uint8Array[]): boolean {
    return this.write(Buffer.concat(pieces));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.close(normalClosure);
  }

  destroy(): void {
    this.socket.terminate();
  }

  /** The receiver hears of nothing more, however long the peer takes to answer the close. */
  private refuseText(): void {
    this.error = new Error('MQTT over WebSocket in a text message');
    // It may have been paused, and then nobody would see that the peer has gone.
    this.socket.resume();
    this.close(unsupportedData, 'MQTT is sent in binary messages');
    this.over();
  }

  private follow(read: Uint8Array): void {
    const { progress, told } = this;
    progress.feed(read);
    const kept = progress.unfinished > little ? progress.unfinished : 0;
    this.told = kept;
    // Nobody hears of it any more; or a message that no rule has ended goes on and on, more wrapping than content.
    if (kept > 0 && (this.isClosing || told > this.mostUnfinished)) this.socket.terminate();
    else if (kept !== told) this.receiver?.keeps(kept);
  }

  private close(code: number, reason?: string): void {
    this.isClosing = true;
    this.socket.close(code, reason);
    if (this.told > 0) this.socket.terminate();
    this.cutOff ??= setTimeout(() => this.socket.terminate(), closeGrace).unref();
  }

  private over(): void {
    this.isClosed = true;
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.closed(this.error);
  }
}
