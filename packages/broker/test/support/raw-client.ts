import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** Bytes in, bytes out. Stand-in until the test kit has it. */
export class RawClient {
  private chunks: Buffer = Buffer.alloc(0);
  private ended = false;
  private wake: () => void = () => {};

  private constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.chunks = Buffer.concat([this.chunks, chunk]);
      this.wake();
    });
    const end = () => {
      this.ended = true;
      this.wake();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  static async connect(port: number, { tls }: { tls?: ConnectionOptions } = {}): Promise<RawClient> {
    const host = '127.0.0.1';
    const socket = tls === undefined ? connectTcp({ port, host }) : connectTls({ port, host, ...tls });
    const client = new RawClient(socket);
    await once(socket, tls === undefined ? 'connect' : 'secureConnect');
    return client;
  }

  /** Over a socket that is open already. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes);
  }

  async read(length: number): Promise<Buffer> {
    await this.until(() => this.chunks.length >= length);
    const read = this.chunks.subarray(0, length);
    this.chunks = this.chunks.subarray(length);
    return read;
  }

  async expect(hex: string): Promise<void> {
    const wanted = hex.replaceAll(' ', '').toLowerCase();
    let got = '';
    try {
      while (got.length < wanted.length) {
        await this.until(() => this.chunks.length > 0);
        got += (await this.read(Math.min(this.chunks.length, (wanted.length - got.length) / 2))).toString('hex');
      }
    } catch (error) {
      assert.fail(`${(error as Error).message}, got ${got}, wanted ${wanted}`);
    }
    assert.equal(got, wanted);
  }

  async closed(): Promise<void> {
    await this.until(() => this.ended || this.chunks.length > 0);
    assert.equal(this.chunks.toString('hex'), '', 'bytes before the end');
  }

  /** Until the peer closed, whatever it sent before. */
  async socketClosed(): Promise<void> {
    await this.until(() => this.ended);
  }

  end(): void {
    this.socket.destroy();
  }

  private until(ready: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('waited for 5 s')), 5000);
      this.wake = () => {
        if (ready()) {
          clearTimeout(timer);
          resolve();
        } else if (this.ended) {
          clearTimeout(timer);
          reject(new Error('the connection ended'));
        }
      };
      this.wake();
    });
  }
}
