import { setTimeout as pause } from 'node:timers/promises';
import { RawClient, readPacket } from '@moat/testkit';
import { connectPacket, publish, subscribe } from '@moat/testkit/packets';
import { password } from './conversation/names.js';

/** Milliseconds in which a broker has to answer, on a machine with other things to do. */
const patience = 30_000;
/** Milliseconds between two messages, and messages between two new connections. */
const interval = 20;
const perConnection = 50;

/**
 * A client that wants nothing special, and shows that the broker serves: it publishes with QoS 1, awaits the
 * acknowledgement and the message, and connects anew now and then.
 */
export class Witness {
  /** Messages that went around. */
  served = 0;
  /** The longest that one took, in milliseconds. */
  slowest = 0;
  private over = false;

  constructor(
    private readonly port: number,
    private readonly from: string,
  ) {}

  /** Goes on until {@link stop}; throws when it is not served. */
  async watch(): Promise<void> {
    while (!this.over) {
      const client = await this.connect();
      for (let count = 0; count < perConnection && !this.over; count++) {
        await this.goAround(client);
        await pause(interval);
      }
      client.send('e000');
      await client.rest();
    }
  }

  stop(): void {
    this.over = true;
  }

  private async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.port, { localAddress: this.from, timeout: patience });
    client.send(connectPacket(4, { clientId: 'witness', username: 'witness', password }));
    await client.expect('20 02 00 00');
    client.send(subscribe(4, 1, { 'witness/#': 0 }));
    await client.expect('90 03 0001 00');
    return client;
  }

  private async goAround(client: RawClient): Promise<void> {
    const started = performance.now();
    const payload = String(++this.served);
    client.send(publish(4, 'witness/x', payload, { qos: 1, packetId: 7 }));
    const answers = [await readPacket(client), await readPacket(client)].sort();
    const wanted = [publish(4, 'witness/x', payload), '40020007'].sort();
    if (answers.join() !== wanted.join()) throw new Error(`the witness got ${answers}, not ${wanted}`);
    this.slowest = Math.max(this.slowest, performance.now() - started);
  }
}
