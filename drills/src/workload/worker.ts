/** The process of the workload: does what its parent asks, and ends with it. */
import { setTimeout as pause } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { type RawClient, readPacket, withDeadline } from '@moat/testkit';
import { publish, subscribe } from '@moat/testkit/packets';
import type { Address, Credentials } from '../broker/broker.js';
import { legitimates, sourceAddress } from '../knock.js';
import { clientIdOf, login, persevere } from './client.js';
import { type Measured, Tally } from './measured.js';

export interface Plan {
  /** Where they connect, in turns; those that stay, to the first. */
  readonly addresses: readonly [Address, ...Address[]];
  readonly legitimate: Credentials | undefined;
  /** Milliseconds after which a connect or a message counts as lost. */
  readonly patience: number;
  /** How many come and go in a second. */
  readonly visits: number;
}

export type Request = { readonly do: 'open'; readonly plan: Plan } | { readonly do: 'begin' } | { readonly do: 'end' };
export type Reply = { readonly measured?: Measured } | { readonly error: string };

const pairs = 10;
const publishEveryMs = 100;

/** Clients that stay, each of which sends itself messages, and others that come and go. */
class Work {
  private connects = new Tally();
  private messages = new Tally();
  private readonly sent = new Map<string, { readonly at: number; readonly tally: Tally }>();
  private count = 0;
  private visits = 0;

  constructor(private readonly plan: Plan) {}

  async open(): Promise<void> {
    const staying = await Promise.all(Array.from({ length: pairs }, (_, index) => persevere(() => this.stay(index))));
    staying.forEach((client, index) => {
      setTimeout(() => this.speak(index, client), (publishEveryMs / pairs) * index);
    });
    setInterval(() => void this.visit(this.visits++), 1_000 / this.plan.visits);
  }

  begin(): void {
    this.connects = new Tally();
    this.messages = new Tally();
  }

  /** What was tried since the beginning; what is still under way has its time. */
  async end(): Promise<Measured> {
    const { connects, messages } = this;
    this.begin();
    const deadline = performance.now() + this.plan.patience;
    while (connects.open + messages.open > 0 && performance.now() < deadline) await pause(10);
    return { connects: connects.share(), messages: messages.share() };
  }

  private async stay(index: number): Promise<RawClient> {
    const { legitimate, addresses } = this.plan;
    const client = await this.enter(addresses[0], `stay${index}`, index);
    client.send(subscribe(4, 1, { [topicOf(legitimate, index)]: 0 }));
    const suback = await readPacket(client);
    if (suback !== '9003000100') throw new Error(`the answer to SUBSCRIBE was ${suback}`);
    this.listen(client).catch(() => client.end());
    return client;
  }

  private async listen(client: RawClient): Promise<void> {
    for (;;) {
      const packet = Buffer.from(await readPacket(client), 'hex');
      const key = packet.subarray(-8).toString();
      const message = this.sent.get(key);
      if (message === undefined) continue;
      this.sent.delete(key);
      const took = performance.now() - message.at;
      if (took <= this.plan.patience) message.tally.succeed(took);
    }
  }

  /** Goes on as long as it may; who was thrown out comes back, and what it would have said meanwhile is lost. */
  private async speak(index: number, first: RawClient): Promise<void> {
    const topic = topicOf(this.plan.legitimate, index);
    let client: RawClient | undefined = first;
    for (;;) {
      await pause(publishEveryMs);
      if (client?.socket.destroyed) client = await this.stay(index).catch(() => undefined);
      const key = String(this.count++).padStart(8, '0');
      this.messages.begin();
      if (client === undefined) continue;
      this.sent.set(key, { at: performance.now(), tally: this.messages });
      client.send(publish(4, topic, key));
    }
  }

  private async visit(number: number): Promise<void> {
    const { addresses, patience } = this.plan;
    const { connects } = this;
    const begun = performance.now();
    connects.begin();
    const to = addresses[number % addresses.length] ?? addresses[0];
    const entering = this.enter(to, `visit${number}`, number >> 1);
    try {
      const client = await withDeadline(entering, () => 'no CONNACK', patience);
      connects.succeed(performance.now() - begun);
      client.send('e000');
      await client.rest();
    } catch {
      entering.then(
        (client) => client.end(),
        () => {},
      );
    }
  }

  private enter(address: Address, name: string, from: number): Promise<RawClient> {
    const { legitimate } = this.plan;
    const source = sourceAddress(address, from % pairs, legitimates);
    return login(address, legitimate, clientIdOf(legitimate, name), source);
  }
}

function topicOf(legitimate: Credentials | undefined, index: number): string {
  return `devices/${legitimate?.username ?? 'anybody'}/drill/stay${index}`;
}

/** With what its connects have in common made once, as a client has it. */
function prepared(address: Address): Address {
  const { tls } = address;
  return tls === undefined ? address : { ...address, tls: { ...tls, secureContext: createSecureContext(tls) } };
}

let work: Work | undefined;

async function obey(request: Request): Promise<Reply> {
  if (request.do === 'open') {
    const [first, ...others] = request.plan.addresses;
    work = new Work({ ...request.plan, addresses: [prepared(first), ...others.map(prepared)] });
    await work.open();
    return {};
  }
  if (work === undefined) throw new Error('nothing is open');
  if (request.do === 'end') return { measured: await work.end() };
  work.begin();
  return {};
}

process.on('message', (request: Request) => {
  obey(request)
    .catch((error: Error): Reply => ({ error: error.message }))
    .then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit());
