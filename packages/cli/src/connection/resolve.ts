import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import {
  type ConnectOptions,
  loadConnection,
  type Protocol,
  type ProtocolVersion,
  randomClientId,
  renewInto,
} from '@moat/client';
import { usageError } from '../failure.js';
import { findConfiguration } from '../local-broker.js';
import { askPassword } from './ask-password.js';
import type { BrokerOptions, SessionOptions } from './broker-options.js';
import { isLoopback } from './loopback.js';
import { parseProperties } from './properties.js';

const protocolOfPort: Record<number, Protocol> = { 1883: 'mqtt', 8083: 'ws', 8884: 'wss' };

/**
 * Where the broker is and who we are, out of a connection file, a URL and options, where the later wins; without any of
 * them the local broker, whose authority is in its data directory.
 *
 * @throws CommandError with exit code 2; InvalidError
 */
export async function resolveBroker(options: BrokerOptions): Promise<ConnectOptions> {
  const { clientId: _, ...file } = options.connection === undefined ? {} : await loadConnection(options.connection);
  const given = {
    ...file,
    ...(options.url === undefined ? {} : parseUrl(options.url)),
    ...defined(fromFlags(options)),
  };
  const host = given.host ?? 'localhost';
  const protocol = given.protocol ?? protocolOfPort[given.port ?? 0] ?? 'mqtts';
  const secure = protocol === 'mqtts' || protocol === 'wss';
  const { MOAT_PASSWORD: secret } = process.env;
  const named = options.connection ?? options.url ?? options.host ?? options.port;
  return defined({
    ...given,
    host,
    protocol,
    ca: options.cafile
      ? await readPem(options.cafile)
      : (given.ca ?? (secure ? await localCa(options, host, named) : undefined)),
    cert: options.cert ? await readPem(options.cert) : given.cert,
    key: options.key ? await readPem(options.key) : given.key,
    username: given.username ?? (options.cert ? await nameIn(options.cert) : undefined),
    password: given.password ?? secret ?? (await promptFor(options)),
  });
}

/** The same with everything that concerns the session. */
export async function resolveSession(options: BrokerOptions & SessionOptions): Promise<ConnectOptions> {
  const properties = parseProperties(options.property ?? []);
  const { connection, renew } = options;
  if (renew && connection === undefined) throw usageError('--renew needs --connection');
  const version = versions[options.protocolVersion] ?? options.protocolVersion;
  if (version !== '5' && options.property !== undefined) throw usageError('-D needs MQTT 5.0, and -V says otherwise');
  const broker = await resolveBroker(options);
  return defined({
    ...broker,
    auth: options.auth ?? broker.auth,
    renewal: renew && connection !== undefined ? renewInto(connection) : undefined,
    clientId: options.id ?? randomClientId(broker.username, randomBytes(8)),
    protocolVersion: version as ProtocolVersion,
    keepAlive: options.keepalive,
    properties: properties.connect,
    will: willOf(options, properties.will),
  });
}

const versions: Record<string, ProtocolVersion> = { mqttv5: '5', mqttv311: '3.1.1', mqttv31: '3.1' };

function willOf(options: SessionOptions, properties: object): ConnectOptions['will'] {
  const { willTopic, willPayload, willQos, willRetain } = options;
  if (willTopic === undefined) {
    if (willPayload ?? willQos ?? willRetain) throw usageError('a will needs --will-topic');
    return undefined;
  }
  return { topic: willTopic, payload: willPayload ?? '', qos: willQos ?? 0, retain: willRetain ?? false, properties };
}

function fromFlags({ host, port, username, password, tlsVersion }: BrokerOptions): ConnectOptions {
  const minVersion = tlsVersion === 'tlsv1.2' ? 'TLSv1.2' : undefined;
  return defined({ host, port, username, password, minVersion });
}

function parseUrl(text: string): ConnectOptions {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const protocol = url?.protocol.slice(0, -1);
  if (!url?.hostname || !isProtocol(protocol)) {
    throw usageError(`not the URL of a broker: ${withoutPassword(text)}; write mqtts://HOST:PORT, or wss, mqtt, ws`);
  }
  const webSocket = protocol === 'ws' || protocol === 'wss';
  const path = url.pathname + url.search;
  if (!webSocket && path !== '' && path !== '/') throw usageError(`a ${protocol} URL has no path: ${path}`);
  return defined({
    protocol,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? undefined : Number(url.port),
    path: webSocket && path !== '/' ? path : undefined,
    username: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
  });
}

function isProtocol(text: string | undefined): text is Protocol {
  return text === 'mqtts' || text === 'mqtt' || text === 'wss' || text === 'ws';
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ':…@');
}

/** The authority of the local broker: the only one for this machine, one among the public ones elsewhere. */
async function localCa(options: BrokerOptions, host: string, named: unknown): Promise<ConnectOptions['ca']> {
  const { configuration } = await findConfiguration(options);
  const file = join(configuration.data_dir, 'pki', 'ca.crt');
  const ca = await readFile(file, 'utf8').catch(() => undefined);
  if (ca === undefined && named === undefined) {
    throw usageError(`no local broker: there is no ${file}; start one with moat start, or name one with -h or --url`);
  }
  return ca === undefined || isLoopback(host) ? ca : [ca, ...rootCertificates];
}

async function readPem(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: Error) => {
    throw usageError(`cannot read ${file}: ${error.message}`);
  });
}

async function nameIn(file: string): Promise<string | undefined> {
  const { describeCertificate } = await import('@moat/pki');
  return describeCertificate(await readPem(file)).commonName;
}

/** Asks only a person who gave a name and nothing to prove it with. */
async function promptFor({ username, cert, connection }: BrokerOptions): Promise<string | undefined> {
  if (username === undefined || cert !== undefined || connection !== undefined || !process.stdin.isTTY)
    return undefined;
  return askPassword(`Password of ${username}: `);
}

function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
