import { setTimeout as pause } from 'node:timers/promises';
import { RawClient, readPacket } from '@moat/testkit';
import { type ConnectFields, connectPacket, publish, subscribe, type Version } from '@moat/testkit/packets';
import type { PreparedBroker } from './broker/broker.js';

/** The mark of what must not get through. */
export const mark = 'LEAK';
export const markHex = Buffer.from(mark).toString('hex');

let ids = 0;

/** A client ID of its own each time: one that comes and goes too often could be turned away for that. */
export function newId(name: string): string {
  return `${name}${++ids}`;
}

/** A broker under the rights of `setup.ts`, with somebody who hears everything. */
export class Stage {
  private constructor(
    private readonly broker: PreparedBroker,
    private readonly watch: RawClient,
  ) {}

  static async open(broker: PreparedBroker): Promise<Stage> {
    const watch = await RawClient.connect(broker.ports.mqtt);
    watch.send(connectPacket(4, { username: 'watch', password: broker.users.watch, clientId: 'watch' }));
    watch.send(subscribe(4, 1, { '#': 0, '$SYS/attack': 0 }));
    const stage = new Stage(broker, watch);
    await stage.settle(watch);
    return stage;
  }

  /** Connects, whether that is accepted or not. */
  async connect(version: Version, fields: ConnectFields): Promise<RawClient> {
    const { ports, users } = this.broker;
    const client = await RawClient.connect(ports.mqtt);
    const known = Object.entries(users).find(([name]) => name === fields.username);
    client.send(connectPacket(version, { password: known?.[1] ?? users.mallory, ...fields }));
    return client;
  }

  mallory(version: Version, fields: ConnectFields = {}): Promise<RawClient> {
    return this.connect(version, { username: 'mallory', clientId: newId('mallory'), ...fields });
  }

  /** Waits until the broker has acted upon all that a client sent; returns what it was answered. */
  async settle(client: RawClient): Promise<string> {
    client.send('c000');
    let answers = '';
    for (;;) {
      const answer = await readPacket(client).catch(() => 'd000'); // or the connection is closed
      if (answer === 'd000') return answers;
      answers += answer;
    }
  }

  /** Whether anybody hears the mark once these bytes have been sent. */
  async speaks(client: RawClient, bytes: string): Promise<boolean> {
    client.send(bytes);
    await this.settle(client);
    client.end();
    return this.wasHeard();
  }

  /** Whether a client gets the mark; what was queued for it may take the broker a moment to read. */
  async delivers(client: RawClient): Promise<boolean> {
    for (let look = 0; look < 50; look++) {
      if ((await this.settle(client)).includes(markHex)) return true;
      await pause(100);
    }
    return false;
  }

  async wasHeard(): Promise<boolean> {
    return (await this.settle(this.watch)).includes(markHex);
  }

  /** Whether a client that has sent these bytes hears the mark when the victim speaks of something secret. */
  async hears(client: RawClient, bytes: string, topic = 'secret/x'): Promise<boolean> {
    client.send(bytes);
    await this.settle(client);
    const victim = await this.connect(4, {
      username: topic.startsWith('secret') ? 'victim' : 'watch',
      clientId: newId('speaker'),
    });
    victim.send(publish(4, topic, mark));
    await this.settle(victim);
    victim.end();
    const heard = (await this.settle(client)).includes(markHex);
    client.end();
    await this.settle(this.watch);
    return heard;
  }

  /** The retained message of a topic, as the watch gets it. */
  async retained(topic: string): Promise<string> {
    const client = await this.connect(4, { username: 'watch', clientId: newId('reader') });
    client.send(subscribe(4, 1, { [topic]: 0 }));
    const answers = await this.settle(client);
    client.end();
    return answers;
  }

  close(): void {
    this.watch.end();
  }
}
