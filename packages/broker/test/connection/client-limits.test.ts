import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { type ClientLimitName, limitTable } from '../../dist/config/profiles.js';
import type { ConfigurationInput, Status } from '../../dist/index.js';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { leave, puback, stored } from '../support/clients.js';
import { type ConnectFields, connectPacket, hex, publish, subscribe, text, will } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';

/** A broker with one limit, and whom it holds for. */
interface Under {
  readonly port: number;
  status(): Status;
  /** CONNECT fields of the client in question. */
  as(more?: ConnectFields): ConnectFields;
}

interface Edge {
  /** The limit, as it is set. */
  readonly most: number;
  /** What is just beyond; left out, one more. */
  readonly beyond?: number;
  /** Whether it has a counter of its own: what was dropped, how often a client was paused. */
  readonly uncounted?: true;
  /** Other limits that the test needs. */
  readonly beside?: Readonly<Record<string, number>>;
  /** Whether a client can have so much. */
  fits(under: Under, amount: number): Promise<boolean>;
}

const anna = { username: 'anna', password: 'pw' };
const qos1 = { qos: 1, packetId: 1 } as const;

/** Whether a PUBLISH is acknowledged; the connection ends where it is not, with that code. */
async function takes({ port, as }: Under, packet: string, code: string): Promise<boolean> {
  const client = await connected(port, 5, as());
  client.send(packet);
  const answer = await readPacket(client);
  client.end();
  if (answer.startsWith('40')) return !answer.endsWith(code);
  assert.match(answer, new RegExp(`^e0..${code}`));
  return false;
}

/** Whether the last of so many filters is granted. */
async function grants({ port, as }: Under, filters: readonly string[]): Promise<boolean> {
  const client = await connected(port, 5, as());
  client.send(subscribe(5, 1, Object.fromEntries(filters.map((filter) => [filter, 0]))));
  const answer = await readPacket(client);
  client.end();
  assert.match(answer, /(00|97)$/);
  return answer.endsWith('00');
}

/** Whether the last of so many clients is let in. */
async function admits({ port, as }: Under, amount: number, fields: ConnectFields = {}): Promise<boolean> {
  const held: RawClient[] = [];
  let last = '';
  for (let at = 0; at < amount; at++) {
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, as(fields)));
    last = await readPacket(client);
    held.push(client);
  }
  for (const client of held) client.end();
  assert.match(last, /^20..00(00|97)/);
  return /^20..0000/.test(last);
}

/** What of a CONNACK says that something was lowered. */
async function lowers({ port, as }: Under, fields: ConnectFields, property: string): Promise<boolean> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(5, as(fields)));
  const connack = await readPacket(client);
  client.end();
  return connack.includes(property);
}

/** Whether a client that sends all at once is neither paused nor disconnected. */
async function spends({ port, status, as }: Under, packets: string, messages: number): Promise<boolean> {
  const client = await connected(port, 5, as());
  client.send(packets);
  const { traffic } = status();
  await waitFor(() => status().traffic.messagesReceived - traffic.messagesReceived === messages);
  client.end();
  return status().traffic.ratePauses === 0 && status().traffic.rateDisconnects === 0;
}

/** How many of so many messages a session has when its client comes back. */
async function queues({ port, as }: Under, topics: readonly string[], payload: string): Promise<number> {
  const away = as(stored(5, 'away'));
  const client = await connected(port, 5, away);
  client.send(subscribe(5, 1, { '#': 1 }));
  await readPacket(client);
  await leave(client);
  const publisher = await connected(port, 5, as());
  for (const [index, topic] of topics.entries()) {
    publisher.send(publish(5, topic, payload, { qos: 1, packetId: index + 1 }));
    assert.equal(await readPacket(publisher), puback(index + 1));
  }
  publisher.end();
  const back = await connected(port, 5, { ...away, properties: '110000000a' });
  back.send('c000');
  let count = 0;
  for (let packet = await readPacket(back); packet !== 'd000'; packet = await readPacket(back)) count++;
  back.send('e0020000');
  await back.closed();
  back.end();
  return count;
}

const many = (amount: number, of: (index: number) => string): string[] =>
  Array.from({ length: amount }, (_, at) => of(at));
const messages = (amount: number): string => many(amount, () => publish(5, 'a', 'x')).join('');

/** PUBLISH with QoS 1 of so many bytes in all. */
const sized = (bytes: number): string => publish(5, 'a', 'x'.repeat(bytes - 9), qos1);

const edges: Record<ClientLimitName, Edge> = {
  max_packet_size: { most: 200, fits: (under, bytes) => takes(under, sized(bytes), '95') },
  receive_maximum: {
    most: 3,
    async fits({ port, as }, amount) {
      const client = await connected(port, 5, as());
      client.send(many(amount, (at) => publish(5, 'a', 'x', { qos: 2, packetId: at + 1 })).join(''));
      let last = '';
      for (let at = 0; at < amount; at++) last = await readPacket(client);
      client.end();
      assert.match(last, /^(50|e0..93)/);
      return last.startsWith('50');
    },
  },
  max_inflight_messages: {
    most: 2,
    async fits({ port, as }, amount) {
      const client = await connected(port, 4, as());
      client.send(subscribe(4, 1, { a: 1 }));
      await readPacket(client);
      const publisher = await connected(port, 5, as());
      for (let at = 1; at <= amount; at++) {
        publisher.send(publish(5, 'a', 'x', { qos: 1, packetId: at }));
        assert.equal(await readPacket(publisher), puback(at));
      }
      client.send('c000');
      let count = 0;
      while ((await readPacket(client)) !== 'd000') count++;
      client.end();
      publisher.end();
      return count === amount;
    },
  },
  max_keepalive: {
    most: 1_001,
    fits: async (under, keepAlive) => !(await lowers(under, { keepAlive }, `13${hex(1_001, 2)}`)),
  },
  max_session_expiry: {
    most: 3_601,
    fits: async (under, seconds) =>
      !(await lowers(under, { properties: `11${hex(seconds, 4)}` }, `11${hex(3_601, 4)}`)) || seconds === 3_601,
  },
  max_will_delay: {
    most: 0,
    beyond: 3_600,
    // A client that is back before the delay is over has no will published.
    async fits({ port, status, as }, delay) {
      const watcher = await connected(port, 5, as());
      watcher.send(subscribe(5, 1, { w: 0 }));
      await readPacket(watcher);
      const fields = as({ ...stored(5, 'dying'), will: will(5, 'w', 'x', { properties: `18${hex(delay, 4)}` }) });
      const dying = await connected(port, 5, fields);
      dying.end();
      await waitFor(() => status().sessionsDisconnected === 1);
      const back = await connected(port, 5, as(stored(5, 'dying')));
      watcher.send('c000');
      const isSent = (await readPacket(watcher)) !== 'd000';
      back.end();
      watcher.end();
      return isSent === (delay === 0);
    },
  },
  max_wills_per_user: {
    most: 2,
    fits: (under, amount) => admits(under, amount, { will: will(5, 'w', 'x') }),
  },
  max_will_bytes_per_user: {
    most: 200,
    fits: (under, bytes) => admits(under, 1, { will: will(5, 'w', 'x'.repeat(bytes - 1)) }),
  },
  max_queued_messages: {
    uncounted: true,
    most: 2,
    fits: async (under, amount) =>
      (await queues(
        under,
        many(amount, (at) => `t${at}`),
        'x',
      )) === amount,
  },
  max_queued_bytes: {
    uncounted: true,
    most: 300,
    fits: async (under, bytes) => (await queues(under, ['t'], 'x'.repeat(bytes - 1))) === 1,
  },
  max_topic_alias: {
    most: 2,
    fits: (under, alias) => takes(under, publish(5, 'a', 'x', { ...qos1, properties: `23${hex(alias, 2)}` }), '94'),
  },
  max_topic_alias_broker: {
    most: 2,
    async fits({ port, as }, amount) {
      const client = await connected(port, 5, as({ properties: '22000a' }));
      client.send(subscribe(5, 1, { '#': 0 }));
      await readPacket(client);
      client.send(many(amount, (at) => publish(5, `t${at}`, 'x')).join(''));
      let last = '';
      for (let at = 0; at < amount; at++) last = await readPacket(client);
      client.end();
      return last.includes(`0323${hex(amount, 2)}`);
    },
  },
  max_subscriptions: {
    most: 3,
    fits: (under, amount) =>
      grants(
        under,
        many(amount, (at) => `t${at}`),
      ),
  },
  max_wildcard_subscriptions: {
    most: 2,
    fits: (under, amount) =>
      grants(
        under,
        many(amount, (at) => `t${at}/#`),
      ),
  },
  max_shared_subscriptions: {
    most: 2,
    fits: (under, amount) =>
      grants(
        under,
        many(amount, (at) => `$share/g/t${at}`),
      ),
  },
  max_publish_rate: {
    most: 5,
    beside: { spending_burst: 1 },
    fits: (under, amount) => spends(under, messages(amount), amount),
  },
  max_receive_rate: {
    most: 1_024,
    beside: { spending_burst: 1 },
    fits: (under, bytes) => spends(under, sized(bytes), 1),
  },
  max_subscribe_rate: {
    most: 5,
    beside: { spending_burst: 1 },
    fits: (under, amount) => {
      const filters = Object.fromEntries(many(amount, (at) => `t${at}`).map((filter) => [filter, 0]));
      return spends(under, subscribe(5, 1, filters) + publish(5, 'a', 'x'), 1);
    },
  },
  spending_burst: {
    uncounted: true,
    most: 3,
    beside: { max_publish_rate: 1 },
    fits: (under, amount) => spends(under, messages(amount), amount),
  },
  max_pause: {
    most: 2,
    beside: { max_publish_rate: 1, spending_burst: 1 },
    async fits(under, seconds) {
      await spends(under, messages(seconds + 1), seconds + 1);
      return under.status().traffic.rateDisconnects === 0;
    },
  },
  max_topic_levels: {
    most: 3,
    fits: (under, levels) => takes(under, publish(5, many(levels, () => 'a').join('/'), 'x', qos1), '90'),
  },
  max_topic_length: {
    most: 10,
    fits: (under, bytes) => takes(under, publish(5, 'é'.repeat(bytes / 2) + (bytes % 2 ? 'a' : ''), 'x', qos1), '90'),
  },
  max_user_properties: {
    most: 2,
    fits: (under, amount) =>
      takes(
        under,
        publish(5, 'a', 'x', { ...qos1, properties: many(amount, () => `26${text('k')}${text('v')}`).join('') }),
        '97',
      ),
  },
  max_retained_messages_per_user: {
    most: 2,
    async fits({ port, as }, amount) {
      const client = await connected(port, 5, as());
      let last = '';
      for (let at = 1; at <= amount; at++) {
        client.send(publish(5, `r${at}`, 'x', { qos: 1, retain: true, packetId: at }));
        last = await readPacket(client);
      }
      client.end();
      return !last.endsWith('97');
    },
  },
  max_retained_bytes_per_user: {
    most: 50,
    fits: (under, bytes) => takes(under, publish(5, 'r', 'x'.repeat(bytes - 1), { ...qos1, retain: true }), '97'),
  },
  max_sessions_per_user: { most: 2, fits: (under, amount) => admits(under, amount) },
};

const policy = 'roles: { tested: [], idle: [] }\nrules:\n  - { subject: { username: anna }, roles: [tested] }\n';

let passwords: string;

async function fits(name: ClientLimitName, amount: number, configured: ConfigurationInput): Promise<boolean> {
  const { beside } = edges[name];
  const { limits, ...rest } = configured;
  const { broker, port, stop } = await startBroker(
    { limits: { profile: 'off', ...beside, ...limits }, ...rest },
    { files: { passwords, 'policy.yaml': policy } },
  );
  try {
    const under: Under = { port, status: () => broker.status(), as: (more) => ({ ...anna, ...more }) };
    const isWithin = await edges[name].fits(under, amount);
    assert.equal((broker.status().limitHits[name] ?? 0) > 0, !isWithin && !edges[name].uncounted, 'counted');
    return isWithin;
  } finally {
    await stop();
  }
}

describe('What one client may have', { concurrency: 4 }, () => {
  before(async () => {
    passwords = await passwordFile({ anna: 'pw' });
  });

  for (const name of Object.keys(edges) as ClientLimitName[]) {
    const { most, beyond = most + 1 } = edges[name];
    // As much as there can be, which the limit in question has to win against.
    const much = Math.min(limitTable[name].most, 1_000_000_000);
    const set = { [name]: most };
    const configurations: Readonly<Record<string, ConfigurationInput>> = {
      'in general': { limits: set },
      'on its listener': { limits: { [name]: much }, listeners: [{ protocol: 'mqtt', port: 0, limits: set }] },
      'by its role': {
        limits: { [name]: much, roles: { tested: set, idle: { [name]: much } } },
        listeners: [{ protocol: 'mqtt', port: 0, limits: { [name]: much } }],
      },
    };
    for (const [where, configuration] of Object.entries(configurations))
      it(`is ${name}, set ${where}`, async () => {
        assert.equal(await fits(name, most, configuration), true, `${most} are within`);
        assert.equal(await fits(name, beyond, configuration), false, `${beyond} are beyond`);
      });
  }
});
