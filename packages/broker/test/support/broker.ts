import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPacket } from '@moat/testkit';
import { Broker, type BrokerOptions, type ConfigurationInput, type Log, parseConfiguration } from '../../dist/index.js';
import { type ConnectFields, connectPacket, type Version } from './packets.js';
import { RawClient } from './raw-client.js';

export { readPacket } from '@moat/testkit';

export interface TestBroker {
  readonly broker: Broker;
  /** Of its first listener. */
  readonly port: number;
  readonly directory: string;
  stop(): Promise<void>;
}

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface TestOptions extends Partial<BrokerOptions> {
  /** What to write into the data directory first, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What else to make there. */
  readonly prepare?: (directory: string) => Promise<unknown>;
}

/** A broker that lets anybody do anything, on a free port of the loopback address; `input` changes that. */
export async function startBroker(
  input: ConfigurationInput = {},
  { files = {}, prepare, ...options }: TestOptions = {},
): Promise<TestBroker> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-broker-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  await prepare?.(directory);
  const configuration = testConfiguration(directory, input);
  const broker = await Broker.start({ configuration, log: silent, ...options });
  const stop = async (): Promise<void> => {
    await broker.stop();
    await rm(directory, { recursive: true });
  };
  return { broker, port: portOf(broker), directory, stop };
}

const patient = {
  max_failures_per_address: 1_000_000,
  max_failures_per_pair: 1_000_000,
  max_failures_per_username: 1_000_000,
  max_malformed_per_address: 1_000_000,
  max_connects_per_clientid: 1_000_000,
  connect_rate_per_address: 1_000_000,
  connect_rate_per_subnet: 1_000_000,
  connect_rate: 1_000_000,
  max_loop_delay: 1_000_000,
  max_publish_rate: 1_000_000_000,
  max_receive_rate: 1_000_000_000_000,
  max_subscribe_rate: 1_000_000,
};

/** The configuration that {@link startBroker} uses. */
export function testConfiguration(directory: string, input: ConfigurationInput = {}): BrokerOptions['configuration'] {
  const { limits, ...others } = input;
  const text = JSON.stringify({
    data_dir: directory,
    listeners: [{ protocol: 'mqtt', port: 0 }],
    authentication: { allow_anonymous: true },
    authorization: { default: 'allow' },
    storage: { engine: 'memory' },
    sys_interval: 0,
    // Tests fail on purpose, all of them from one address.
    limits: { ...patient, ...limits },
    ...others,
  });
  return parseConfiguration(text, join(directory, 'moat.yaml'));
}

/** The port of the first listener, or of the first with that protocol. */
export function portOf(broker: Broker, protocol?: string): number {
  const found = broker.listeners.find((listener) => protocol === undefined || listener.protocol === protocol);
  if (found === undefined) throw new Error(`no listener for ${protocol}`);
  return found.port;
}

/** A client that is connected, with its CONNACK read. */
export async function connected(port: number, version: Version, fields: ConnectFields = {}): Promise<RawClient> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(version, fields));
  const connack = await readPacket(client);
  if (!/^20..0[01]00/.test(connack)) throw new Error(`the CONNACK was ${connack}`);
  return client;
}

/** Shows that nothing else is on its way: the answer to PINGREQ is what comes next. */
export async function ping(client: RawClient): Promise<void> {
  client.send('c000');
  await client.expect('d000');
}
