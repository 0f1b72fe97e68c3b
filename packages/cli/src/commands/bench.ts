import { randomBytes } from 'node:crypto';
import { type ConnectOptions, checkOptions, randomClientId } from '@moat/client';
import type { Command } from 'commander';
import { addBrokerOptions, type BrokerOptions } from '../connection/broker-options.js';
import { isLoopback } from '../connection/loopback.js';
import { asCommandErrors } from '../connection/open-client.js';
import { resolveBroker } from '../connection/resolve.js';
import { CommandError, usageError } from '../failure.js';
import { examples } from '../help.js';
import {
  type ConnectionsResult,
  type ConnectPlan,
  LoadProcess,
  type Target,
  type TrafficPlan,
  type TrafficResult,
} from '../load/index.js';
import { formatPairs } from '../output/table.js';
import { integer, positive } from '../parse-argument.js';

interface BenchOptions extends BrokerOptions {
  readonly publishers: number;
  readonly subscribers: number;
  readonly qos: 0 | 1 | 2;
  readonly size: number;
  readonly window: number;
  readonly rate?: number;
  readonly seconds: number;
  readonly connects?: number;
  readonly concurrency: number;
  readonly iOwnThisBroker?: true;
  readonly json?: true;
}

const many = integer(1, 100_000);

export function defineBench(command: Command): void {
  addBrokerOptions(command)
    .option('--publishers <n>', 'clients that publish', many, 1)
    .option('--subscribers <n>', 'clients that subscribe: as many as publishers are pairs, or one side is 1', many, 1)
    .option('-q, --qos <qos>', 'QoS', integer(0, 2), 0)
    .option('--size <bytes>', 'of each payload', integer(12, 268_435_455), 64)
    .option('--window <n>', 'messages of each publisher on their way at once', many, 1000)
    .option('--rate <n>', 'messages a second in all (default: as many as go through)', positive)
    .option('--seconds <n>', 'how long', positive, 5)
    .option('--connects <n>', 'open and close so many connections instead of sending messages', integer(1, 10_000_000))
    .option('--concurrency <n>', 'connections opened at once', many, 20)
    .option('--i-own-this-broker', 'allow a broker that is not on this machine')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'moat bench -u admin',
        'moat bench -u admin --publishers 10 --subscribers 10 -q 1 --window 20',
        'moat bench --url mqtt://localhost:1883 -u admin --connects 2000',
      ),
    )
    .action((options: BenchOptions) => asCommandErrors(() => bench(options)));
}

async function bench(options: BenchOptions): Promise<void> {
  const broker = await resolveBroker(options);
  if (!isLoopback(broker.host ?? '') && !options.iOwnThisBroker) {
    throw usageError(`${broker.host} is not this machine; --i-own-this-broker if you may put a load on it`);
  }
  const plan = planOf(options, broker);
  const unreached = (cause: Error): never => {
    throw new CommandError(3, `cannot put a load on ${broker.host}: ${cause.message}`, { cause });
  };
  const load = await LoadProcess.open(plan).catch(unreached);
  try {
    const result = await load.run(options.connects ?? options.seconds * 1000).catch(unreached);
    console.log(options.json ? JSON.stringify(result, undefined, 2) : formatResult(result));
  } finally {
    await load.close();
  }
}

function planOf(options: BenchOptions, broker: ConnectOptions): TrafficPlan | ConnectPlan {
  const target = targetOf(broker);
  const { publishers, subscribers, qos, size: payloadBytes, window, rate, concurrency } = options;
  // Client IDs and topics that the default policy lets a user have.
  const clientIdPrefix = `${randomClientId(broker.username, randomBytes(8))}-`;
  if (options.connects !== undefined) return { kind: 'connect', target, concurrency, clientIdPrefix };
  if (publishers !== subscribers && publishers !== 1 && subscribers !== 1) {
    throw usageError('publishers and subscribers must be as many as each other, or one of them 1');
  }
  const topicPrefix = broker.username === undefined ? 'bench' : `devices/${broker.username}/bench`;
  const pace = rate === undefined ? {} : { perSecond: rate };
  const names = { topicPrefix, clientIdPrefix };
  return { kind: 'traffic', target, publishers, subscribers, qos, payloadBytes, window, ...pace, ...names };
}

function targetOf(broker: ConnectOptions): Target {
  const { protocol, host = 'localhost', port, username, password, auth } = broker;
  checkOptions(broker);
  if (protocol !== 'mqtts' && protocol !== 'mqtt') throw usageError('bench speaks mqtts and mqtt');
  if (auth !== undefined) throw usageError(`bench cannot prove who it is by ${auth}`);
  return {
    host,
    port: port ?? (protocol === 'mqtts' ? 8883 : 1883),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: String(password) }),
    ...(protocol === 'mqtts' ? { tls: tlsOf(broker) } : {}),
  };
}

function tlsOf({ ca, cert, key, minVersion }: ConnectOptions): NonNullable<Target['tls']> {
  return {
    ...(ca === undefined ? {} : { ca: [ca].flat().join('\n') }),
    ...(cert === undefined || key === undefined ? {} : { clients: [{ cert: String(cert), key: String(key) }] }),
    ...(minVersion === undefined ? {} : { minVersion }),
  };
}

function formatResult(result: TrafficResult | ConnectionsResult): string {
  const seconds = result.elapsedMs / 1000;
  const time = ['time', `${seconds.toFixed(2)} s`] as const;
  if ('connections' in result) {
    const rate = `${Math.round(result.connections / seconds)} a second`;
    return formatPairs([['connections', String(result.connections)], time, ['rate', rate]]);
  }
  const { sent, expected, delivered, latency } = result;
  return formatPairs([
    ['sent', String(sent)],
    ['delivered', `${delivered} of ${expected}`],
    time,
    ['rate', `${Math.round(delivered / seconds)} messages a second`],
    [
      'latency',
      `p50 ${latency.p50.toFixed(2)} ms, p99 ${latency.p99.toFixed(2)} ms, most ${latency.max.toFixed(2)} ms`,
    ],
  ]);
}
