import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Broker, parseConfiguration } from '@moat/broker';
import { freePort } from '@moat/testkit';
import { check, type Fault } from '../dist/check/check.js';
import { historyOf } from '../dist/check/history.js';
import { SessionClient } from '../dist/client/session-client.js';
import type { ClientPlan } from '../dist/plan.js';
import { type BrokerEvent, type ClientEvent, now, type Timed } from '../dist/record/event.js';
import { RecordFile, readRecord } from '../dist/record/record-file.js';
import { type How, SteppingStore } from './stepping-store.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
/** How long anything on the stage may take, in milliseconds. */
const patience = 30_000;

/** A broker on a store that fails or stops at one step, and clients that go on until they have done what they were told. */
export class Stage {
  private readonly clients = new Map<string, SessionClient>();
  private readonly topics = new Map<string, Set<string>>();
  private readonly offline = new Set<SessionClient>();
  private readonly records: RecordFile<ClientEvent>[] = [];
  private readonly events: Timed<BrokerEvent>[] = [];
  /** Whether the step came at which something was to happen. */
  wasHit = false;
  private broker: Broker | undefined;

  private constructor(
    private readonly directory: string,
    private readonly port: number,
    private readonly plans: readonly ClientPlan[],
    private readonly how: How,
    private stepping: SteppingStore,
  ) {}

  static async open(directory: string, plans: readonly ClientPlan[], how: How): Promise<Stage> {
    await mkdir(directory);
    const stepping = await SteppingStore.open(join(directory, 'store'), how);
    const stage = new Stage(directory, await freePort(), plans, how, stepping);
    await stage.start();
    for (const plan of plans) {
      const path = stage.recordOf(plan);
      const record = RecordFile.open<ClientEvent>(path);
      stage.records.push(record);
      const topics = new Set<string>();
      stage.topics.set(plan.id, topics);
      const client = new SessionClient(plan, stage.port, record, path, (topic) => topics.add(topic));
      stage.clients.set(plan.id, client);
      stage.offline.add(client);
    }
    return stage;
  }

  client(id: string): SessionClient {
    const client = this.clients.get(id);
    if (client === undefined) throw new Error(`no client ${id}`);
    return client;
  }

  /** Waits until a client has got a message on a topic. */
  hears(client: SessionClient, topic: string): Promise<void> {
    return this.until(`${client.plan.id} has got ${topic}`, () => this.topics.get(client.plan.id)?.has(topic) ?? false);
  }

  /** Waits until all is acknowledged, or refused, that a client has published. */
  published(client: SessionClient): Promise<void> {
    return this.until(`${client.plan.id} is quiet`, () => client.quiet);
  }

  /** From here on something happens at this step. */
  arm(at: number): void {
    if (this.how === 'fails') this.events.push({ at: now(), e: 'filled' });
    this.stepping.arm(at);
  }

  /** Connects a client, and lets it come back whenever its connection is lost. */
  async join(client: SessionClient): Promise<void> {
    this.offline.delete(client);
    await this.until(`${client.plan.id} is connected`, () => client.connected);
  }

  leave(client: SessionClient, how: 'lost' | 'goodbye' = 'lost'): void {
    this.offline.add(client);
    client.leave(how);
  }

  /** Subscribes or unsubscribes, as often as it takes. */
  async settle(client: SessionClient, filter: string, wanted: boolean): Promise<void> {
    const state = wanted ? 'subscribed' : 'unsubscribed';
    await this.until(`${client.plan.id} has ${state} ${filter}`, () => {
      if (client.state.filters.get(filter) === state) return true;
      if (client.mayAsk) client.ask(filter, wanted);
      return false;
    });
  }

  /** Waits for something, while clients that were thrown off come back, and a broker that has stopped is started anew. */
  async until(what: string, done: () => boolean): Promise<void> {
    const deadline = now() + patience;
    while (!done()) {
      if (now() > deadline) throw new Error(`waited in vain until ${what}`);
      await pause(2);
      if (this.stepping.isStopped) await this.restart();
      if (this.stepping.store.failure !== undefined) void this.stepping.store.commit().catch(() => {});
      for (const client of this.clients.values())
        if (!client.online && !this.offline.has(client)) client.connect(client.state.renewing);
    }
  }

  /** Ends everything, and judges what was recorded. */
  async close(): Promise<Fault[]> {
    this.wasHit ||= this.stepping.hit;
    if (this.stepping.isStopped) await this.restart();
    this.stepping.arm(Number.POSITIVE_INFINITY);
    for (const client of this.clients.values()) this.leave(client);
    this.events.push({ at: now(), e: this.how === 'fails' ? 'freed' : 'killed' });
    await this.broker?.stop();
    for (const record of this.records) record.close();
    const records = new Map(this.plans.map((plan) => [plan.id, readRecord<ClientEvent>(this.recordOf(plan))]));
    return check(historyOf(this.plans, records, this.events));
  }

  private async start(): Promise<void> {
    const input = {
      data_dir: this.directory,
      listeners: [{ protocol: 'mqtt', port: this.port }],
      authentication: { allow_anonymous: true },
      authorization: { default: 'allow' },
    };
    const configuration = parseConfiguration(JSON.stringify(input), join(this.directory, 'moat.yaml'));
    this.broker = await Broker.start({ configuration, log: silent, store: this.stepping.store });
    this.events.push({ at: now(), e: 'ready' });
  }

  /** The broker that stopped is gone with its connections; another begins on what it left. */
  private async restart(): Promise<void> {
    this.wasHit = true;
    this.events.push({ at: now(), e: 'killed' });
    const { broker, stepping } = this;
    void broker?.stop(); // does not end: its store does not answer
    while ([...this.clients.values()].some(({ online }) => online)) await pause(1);
    await stepping.abandon();
    this.stepping = await SteppingStore.open(join(this.directory, 'store'), this.how);
    await this.start();
  }

  private recordOf({ id }: ClientPlan): string {
    return join(this.directory, `${id}.jsonl`);
  }
}
