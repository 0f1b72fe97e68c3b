import type { ConnectionOptions } from 'node:tls';
import type { IClientOptions } from 'mqtt';
import type { Backoff } from './backoff.js';
import { InvalidError } from './errors.js';
import type { Message, PublishProperties, QoS, UserProperties } from './message.js';
import type { RenewalOptions } from './renewal.js';

export type Protocol = 'mqtts' | 'mqtt' | 'wss' | 'ws';
export type ProtocolVersion = '3.1' | '3.1.1' | '5';

export interface PublishOptions {
  /** Default 0: the promise resolves when the message is written; 1 and 2: when the broker has acknowledged it. */
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: PublishProperties;
}

/** The message that the broker publishes when this client is lost (MQTT 5.0 §3.1.2.5). */
export interface Will {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: PublishProperties & {
    /** Seconds. */
    readonly willDelayInterval?: number;
  };
}

/** The properties of CONNECT in MQTT 5.0 (§3.1.2.11). */
export interface ConnectProperties {
  /** Seconds; 0xFFFFFFFF is for ever. */
  readonly sessionExpiryInterval?: number;
  readonly receiveMaximum?: number;
  /** Bytes. */
  readonly maximumPacketSize?: number;
  readonly topicAliasMaximum?: number;
  readonly requestResponseInformation?: boolean;
  readonly requestProblemInformation?: boolean;
  readonly userProperties?: UserProperties;
}

export const authMethods = ['scram-sha-256', 'scram-sha-512'] as const;
export type AuthMethod = (typeof authMethods)[number];

/** How to reach a broker and who we are. */
export interface ConnectOptions {
  /** Default `mqtts`. */
  readonly protocol?: Protocol;
  /** Default `localhost`. The server's certificate must name it. */
  readonly host?: string;
  /** Default 8883, 1883, 8884 or 8083, by protocol. */
  readonly port?: number;
  /** Of the WebSocket URL; default `/mqtt`. */
  readonly path?: string;
  /** Default: the user name, a colon and random letters; a session that is to last needs its own. */
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string | Buffer;
  /**
   * Prove that we know the password instead of sending it, and have the broker prove that it knows what belongs to it
   * (SCRAM, RFC 5802; MQTT 5.0 §4.12).
   */
  readonly auth?: AuthMethod;
  /** PEM of the authorities to trust; default: those that Node.js trusts. */
  readonly ca?: string | Buffer | (string | Buffer)[];
  /** PEM of our certificate chain and its private key. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The least version of TLS to accept; default `TLSv1.3`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Default `5`. */
  readonly protocolVersion?: ProtocolVersion;
  /** Forget an earlier session; default true. */
  readonly cleanStart?: boolean;
  /** Seconds; default 60. */
  readonly keepAlive?: number;
  readonly will?: Will;
  readonly properties?: ConnectProperties;
  /** Renew our certificate before it ends: see `renewInto`. Default: never, unless `renew` is called. */
  readonly renewal?: RenewalOptions;
  /** Milliseconds until the broker must have answered CONNECT; default 30,000. */
  readonly connectTimeout?: number;
  /** False: the first loss of the connection is the end. */
  readonly reconnect?: Backoff | false;
  /** Keep trying when even the first attempt fails, as a device that starts before its network; default false. */
  readonly retryFirst?: boolean;
  /**
   * Called with messages that no subscription takes: those of a resumed session (`cleanStart: false`) may arrive before
   * `subscribe` is called.
   */
  readonly onUnmatched?: (message: Message) => void;
}

export const defaultPorts: Record<Protocol, number> = { mqtts: 8883, mqtt: 1883, wss: 8884, ws: 8083 };

const versions = {
  '3.1': { protocolVersion: 3, protocolId: 'MQIsdp' },
  '3.1.1': { protocolVersion: 4, protocolId: 'MQTT' },
  '5': { protocolVersion: 5, protocolId: 'MQTT' },
} as const;

/** @throws InvalidError when the options contradict each other */
export function checkOptions(options: ConnectOptions): void {
  const protocol = options.protocol ?? 'mqtts';
  if (!isSecure(protocol) && (options.ca ?? options.cert ?? options.key)) {
    throw new InvalidError(`certificates need mqtts or wss; the protocol is ${protocol}`);
  }
  if ((options.cert === undefined) !== (options.key === undefined)) {
    throw new InvalidError('a client certificate and its key go together; one of them is missing');
  }
  if (options.cleanStart === false && options.clientId === undefined) {
    throw new InvalidError('to take up a session, its clientId must be given');
  }
  if (options.auth !== undefined && (options.protocolVersion ?? '5') !== '5') {
    throw new InvalidError(`${options.auth} needs MQTT 5.0; the version is ${options.protocolVersion}`);
  }
  if (options.auth !== undefined && (!options.username || !options.password)) {
    throw new InvalidError(`${options.auth} needs a user name and a password`);
  }
}

function isSecure(protocol: Protocol): boolean {
  return protocol === 'mqtts' || protocol === 'wss';
}

/**
 * Options in the words of MQTT.js. There is deliberately no way to switch the verification of the server off.
 *
 * @throws InvalidError when the options contradict each other
 */
export function toMqttOptions(options: ConnectOptions): IClientOptions {
  checkOptions(options);
  const protocol = options.protocol ?? 'mqtts';
  const tls = isSecure(protocol) ? tlsOptions(options) : {};
  return {
    ...defined({
      clientId: options.clientId,
      // With SCRAM neither is sent.
      ...(options.auth === undefined ? { username: options.username, password: options.password } : {}),
      keepalive: options.keepAlive,
      connectTimeout: options.connectTimeout,
      will: options.will,
    }),
    ...versions[options.protocolVersion ?? '5'],
    ...(options.protocolVersion === undefined || options.protocolVersion === '5'
      ? { properties: { ...options.properties } }
      : {}),
    clean: options.cleanStart ?? true,
    protocol,
    host: options.host ?? 'localhost',
    port: options.port ?? defaultPorts[protocol],
    // The handshake of a WebSocket has its own options; MQTT.js passes `tls` on for mqtts only.
    ...(protocol === 'mqtts' ? { ...tls, ALPNProtocols: ['mqtt'] } : {}),
    ...(protocol === 'ws' || protocol === 'wss' ? { path: options.path ?? '/mqtt', wsOptions: tls } : {}),
  } as IClientOptions;
}

function tlsOptions(options: ConnectOptions): ConnectionOptions {
  return {
    ...defined({ ca: options.ca, cert: options.cert, key: options.key }),
    minVersion: options.minVersion ?? 'TLSv1.3',
    rejectUnauthorized: true,
  };
}

/** MQTT.js takes a key that is there but undefined as a value. */
function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
