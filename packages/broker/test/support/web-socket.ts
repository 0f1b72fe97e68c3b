import { type ClientOptions, WebSocket } from 'ws';

/** A WebSocket client that knows bytes and nothing of MQTT. */
export class RawWebSocket {
  private received: Buffer = Buffer.alloc(0);
  private wake: () => void = () => {};
  /** How the server closed, once it has: its status code. */
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) throw new Error('the server sent text');
      this.received = Buffer.concat([this.received, data]);
      this.wake();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** Rejects with the HTTP status that the server refused the upgrade with. */
  static async connect(
    port: number,
    { host = '127.0.0.1', path = '/mqtt', protocols = ['mqtt'], secure = false, ...options }: UpgradeOptions = {},
  ): Promise<RawWebSocket> {
    const url = `${secure ? 'wss' : 'ws'}://${host}:${port}${path}`;
    const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false, ...options });
    const client = new RawWebSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        reject(new Error(`refused with ${response.statusCode}`));
        socket.terminate();
      });
    });
    return client;
  }

  /** Sends hexadecimal as one binary message, or as one frame of it. */
  send(hex: string, fin = true): void {
    this.socket.send(Buffer.from(hex.replaceAll(' ', ''), 'hex'), { binary: true, fin });
  }

  /** The next bytes, in hexadecimal, wherever messages begin and end. */
  async read(length: number): Promise<string> {
    while (this.received.length < length) {
      await new Promise<void>((resolve, reject) => {
        this.wake = resolve;
        this.closed.then((code) => reject(new Error(`closed with ${code} after ${this.received.toString('hex')}`)));
      });
    }
    const read = this.received.subarray(0, length).toString('hex');
    this.received = this.received.subarray(length);
    return read;
  }

  end(): void {
    this.socket.terminate();
  }
}

export interface UpgradeOptions extends ClientOptions {
  readonly host?: string;
  readonly path?: string;
  readonly protocols?: readonly string[];
  readonly secure?: boolean;
}
