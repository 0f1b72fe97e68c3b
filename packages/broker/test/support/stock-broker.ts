import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initAuthority, writeDeviceBundle } from '@moat/pki';
import { waitFor } from '@moat/testkit';
import { Broker, setPassword } from '../../dist/index.js';
import { silent, testConfiguration } from './broker.js';

export const user = { username: 'alice', password: 'correct horse battery' } as const;
/** The name in the device's certificate. */
export const device = 'pump-7';

/** A broker as one would run it: every transport, a password file, certificates of its own authority. */
export interface StockBroker {
  readonly broker: Broker;
  readonly host: 'localhost';
  readonly ports: Readonly<Record<'mqtt' | 'mqtts' | 'ws' | 'wss', number>>;
  /** Of an mqtts listener that wants a certificate and takes the user name from it. */
  readonly certificatePort: number;
  /** Files in PEM form. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  stop(): Promise<void>;
}

const policy = `
rules:
  - { allow: connect, clientids: ["*"] }
  - { allow: [publish, subscribe, receive], topics: ["#"], subject: { username: alice } }
  - { allow: [publish, subscribe, receive], topics: ["devices/\${username}/#"] }
`;

export async function startStockBroker(): Promise<StockBroker> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-stock-'));
  const now = new Date();
  const authority = await initAuthority(join(directory, 'pki'), { hosts: ['localhost', '127.0.0.1'], days: 1, now });
  const issued = await authority.issueDevice({ name: device, days: 1, now });
  const bundle = join(directory, 'device');
  const caCertificate = authority.authority.certificate;
  await writeDeviceBundle(bundle, { ...issued, name: device, caCertificate, host: 'localhost', port: 0 });
  await setPassword(join(directory, 'passwords'), user.username, user.password);
  await writeFile(join(directory, 'policy.yaml'), policy);
  const configuration = testConfiguration(directory, {
    listeners: [
      { protocol: 'mqtt', port: 0 },
      { protocol: 'ws', port: 0 },
      { protocol: 'mqtts', bind: '127.0.0.1', port: 0 },
      { protocol: 'wss', bind: '127.0.0.1', port: 0 },
      { protocol: 'mqtts', bind: 'localhost', port: 0, require_certificate: true, use_identity_as_username: 'cn' },
    ],
    authentication: {},
    authorization: {},
  });
  const broker = await Broker.start({ configuration, log: silent });
  const [mqtt, ws, mqtts, wss, certificatePort] = broker.listeners.map(({ port }) => port) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    broker,
    host: 'localhost',
    ports: { mqtt, mqtts, ws, wss },
    certificatePort,
    ca: join(bundle, 'ca.crt'),
    cert: join(bundle, 'client.crt'),
    key: join(bundle, 'client.key'),
    stop: async () => {
      await broker.stop();
      await rm(directory, { recursive: true });
    },
  };
}

/** Resolves when the broker has so many more subscriptions than it had at the call. */
export function moreSubscriptions(broker: Broker, count: number): Promise<unknown> {
  const wanted = broker.status().subscriptions + count;
  return waitFor(() => broker.status().subscriptions >= wanted, { what: `${wanted} subscriptions` });
}
