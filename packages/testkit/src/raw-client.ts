import { AssertionError } from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { patience, withDeadline } from './deadline.js';
import { dump, fromHex } from './hex.js';

/** A client that knows bytes and nothing of MQTT: for sequences that no real client would send. */
export class RawClient {
  readonly socket: Socket;
  readonly #timeout: number;
  #received: Buffer = Buffer.alloc(0);
  #over = false;
  #wake = () => {};

  private constructor(socket: Socket, timeout: number) {
    this.socket = socket;
    this.#timeout = timeout;
    const end = () => {
      this.#over = true;
      this.#wake();
    };
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    // A reset ends the connection as well; what came before it stays readable.
    socket.on('end', end).on('close', end).on('error', end);
  }

  /**
   * Connects to a port.
   *
   * @param host 127.0.0.1 unless given
   * @param localAddress where it comes from, of the addresses of this machine
   * @param tls over TLS, with these options
   * @param timeout of this and every later wait, in milliseconds
   */
  static async connect(
    port: number,
    {
      host = '127.0.0.1',
      localAddress,
      tls,
      timeout = patience,
    }: { host?: string; localAddress?: string; tls?: ConnectionOptions; timeout?: number } = {},
  ): Promise<RawClient> {
    const address = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
    const socket = tls === undefined ? connectTcp(address) : connectTls({ ...tls, ...address });
    const client = new RawClient(socket, timeout);
    const connected = once(socket, tls === undefined ? 'connect' : 'secureConnect');
    try {
      await withDeadline(connected, () => `no connection to port ${port}`, timeout);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return client;
  }

  /** Over a socket that is open already. */
  static over(socket: Socket, timeout = patience): RawClient {
    return new RawClient(socket, timeout);
  }

  /** Sends bytes; text is hexadecimal in which white space does not count. */
  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? fromHex(bytes) : bytes);
  }

  /** The next `length` bytes. */
  async read(length: number): Promise<Buffer> {
    await this.#until(
      () => this.#received.length >= length || this.#over,
      () => `wanted ${length} bytes, got ${this.#received.length}:\n${dump(this.#received)}`,
    );
    if (this.#received.length < length) {
      throw new Error(`wanted ${length} bytes, but the peer closed after:\n${dump(this.#received)}`);
    }
    return this.#take(length);
  }

  /** The next bytes are exactly these, written as hexadecimal; a first wrong byte is told at once. */
  async expect(hex: string): Promise<void> {
    const wanted = fromHex(hex);
    const compare = (why: string) => `${why}; wanted:\n${dump(wanted)}\ngot:\n${dump(this.#received)}`;
    const settled = () => this.#over || this.#received.length >= wanted.length || !this.#beginsLike(wanted);
    await this.#until(settled, () => compare('bytes are missing'));
    if (!this.#beginsLike(wanted)) throw failure(compare('other bytes came'), this.#received, wanted);
    if (this.#received.length < wanted.length) throw failure(compare('the peer closed'), this.#received, wanted);
    this.#take(wanted.length);
  }

  /** Waits until the peer has closed the connection, without another byte. */
  async closed(): Promise<void> {
    const rest = await this.rest();
    if (rest.length > 0) throw failure(`bytes before the end:\n${dump(rest)}`, rest, Buffer.alloc(0));
  }

  /** Waits until the peer has closed the connection; gives what it sent before that and was not yet read. */
  async rest(): Promise<Buffer> {
    await this.#until(
      () => this.#over,
      () => `the peer did not close; it sent:\n${dump(this.#received)}`,
    );
    this.socket.destroy();
    return this.#take(this.#received.length);
  }

  /** Ends the connection from this side at once. */
  end(): void {
    this.socket.destroy();
  }

  #beginsLike(wanted: Buffer): boolean {
    const length = Math.min(wanted.length, this.#received.length);
    return wanted.subarray(0, length).equals(this.#received.subarray(0, length));
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #until(settled: () => boolean, describe: () => string): Promise<void> {
    if (settled()) return;
    const arrived = new Promise<void>((resolve) => {
      this.#wake = () => settled() && resolve();
    });
    await withDeadline(arrived, describe, this.#timeout);
  }
}

function failure(message: string, actual: Buffer, expected: Buffer): AssertionError {
  return new AssertionError({ message, actual: actual.toString('hex'), expected: expected.toString('hex') });
}
