import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { needs, python, run } from '@moat/testkit';
import { connectAsync } from 'mqtt';
import { portOf, startBroker } from '../support/broker.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';
import { OpensslAuthority } from '../support/openssl-authority.js';
import { recordingLog } from '../support/recording-log.js';

/*
 * Clients that others wrote, with certificates that openssl made: one through an intermediate authority, and one that
 * was revoked.
 */
const { events, log } = recordingLog(({ event, username }) => `${event} ${username}`);
const connected = (): string[] => events.filter((event) => event.startsWith('client.connected'));
const bearers: Record<string, ClientIdentity> = {};
let ca = '';

async function prepare(directory: string): Promise<void> {
  ({ ca } = await TestAuthority.create(directory));
  const root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
  const issuing = await root.intermediate('Issuing');
  for (const name of ['good', 'revoked']) {
    const issued = await issuing.issue({
      extensions: ['extendedKeyUsage = clientAuth', `subjectAltName = DNS:${name}.example`],
    });
    bearers[name] = issued;
    if (name === 'revoked') await issuing.revoke(issued);
    await writeFile(join(directory, `${name}.crt`), issued.cert);
    await writeFile(join(directory, `${name}.key`), issued.key);
  }
  await writeFile(join(directory, 'clients.crt'), root.certificate);
  await writeFile(join(directory, 'clients.crl'), (await root.list()) + (await issuing.list()));
}

const files = {
  cafile: 'clients.crt',
  crlfile: 'clients.crl',
  require_certificate: true,
  use_identity_as_username: 'san_dns',
};
const { broker, directory, stop } = await startBroker(
  { listeners: ['mqtts', 'wss'].map((protocol) => ({ protocol, bind: '127.0.0.1', port: 0, ...files })) as [] },
  { prepare, log },
);
after(stop);
const path = (name: string): string => join(directory, name);
const ports = { mqtts: portOf(broker, 'mqtts'), wss: portOf(broker, 'wss') };

/** Publishes by a client of its own; whether that went well. */
type Client = (name: string) => Promise<boolean>;

const mosquitto: Client = async (name) => {
  const to = [
    '-h',
    '127.0.0.1',
    '-p',
    `${ports.mqtts}`,
    '-t',
    'a',
    '-m',
    'hello',
    '-q',
    '1',
    '--cafile',
    path('pki/ca.crt'),
  ];
  return (await run('mosquitto_pub', [...to, '--cert', path(`${name}.crt`), '--key', path(`${name}.key`)])).code === 0;
};

const paho =
  (transport: string, port: number): Client =>
  async (name) => {
    const tls = { ca_certs: path('pki/ca.crt'), certfile: path(`${name}.crt`), keyfile: path(`${name}.key`) };
    const options = { hostname: '127.0.0.1', port, qos: 1, transport, tls };
    const script = `import json, sys\nimport paho.mqtt.publish as publish\npublish.single("a", "hello", **json.loads(sys.argv[1]))`;
    return (await run(python, ['-c', script, JSON.stringify(options)])).code === 0;
  };

const mqttJs =
  (url: string): Client =>
  async (name) => {
    try {
      const client = await connectAsync(url, { ca, ...bearers[name], reconnectPeriod: 0 });
      await client.publishAsync('a', 'hello', { qos: 1 });
      await client.endAsync();
      return true;
    } catch {
      return false;
    }
  };

const clients: Readonly<Record<string, Client>> = {
  mosquitto_pub: mosquitto,
  'paho by TCP': paho('tcp', ports.mqtts),
  'paho by WebSocket': paho('websockets', ports.wss),
  'MQTT.js by TCP': mqttJs(`mqtts://127.0.0.1:${ports.mqtts}`),
  'MQTT.js by WebSocket': mqttJs(`wss://127.0.0.1:${ports.wss}/mqtt`),
};

describe('With a certificate made by openssl', needs('openssl', 'mosquitto_pub', 'python3:paho.mqtt.client'), () => {
  for (const [title, publishes] of Object.entries(clients)) {
    it(`${title} is let in by its alternative name, and not once it is revoked`, async () => {
      events.length = 0;
      assert.equal(await publishes('good'), true);
      assert.deepEqual(connected(), ['client.connected good.example']);
      assert.equal(await publishes('revoked'), false);
      assert.deepEqual(connected(), ['client.connected good.example']);
    });
  }
});
