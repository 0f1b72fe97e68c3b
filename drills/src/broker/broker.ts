import type { ConnectionOptions } from 'node:tls';
import type { ClientIdentity } from '@moat/testkit';
import type { Bearer, Impostor } from './certificates.js';

/** Where a broker listens, on a loopback address. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** What a client trusts, for a listener with TLS. */
  readonly tls?: ConnectionOptions;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What attackers know of a broker: nothing but data, so that it can be sent to a process of their own. */
export interface Target {
  readonly name: string;
  /** MQTT over TCP. */
  readonly address: Address;
  /** MQTT over TLS; undefined where it is not known. */
  readonly secure: Address | undefined;
  /** Of a client that has done nothing wrong; undefined where anybody may connect. */
  readonly legitimate: Credentials | undefined;
  readonly insider: Insider;
}

/** A client that the broker serves, and that turns on it. */
interface Insider {
  readonly credentials: Credentials | undefined;
  /** It may publish and subscribe below this topic. */
  readonly topic: string;
}

/** A running broker under attack. */
export interface Broker extends Target {
  /** Its processes; none when they are not known. */
  readonly pids: readonly number[];
  /** Whether it is still there. */
  isAlive(): Promise<boolean>;
}

/** One that a drill started, with the users, rights and certificates of `setup.ts`. */
export interface PreparedBroker extends Broker {
  readonly ports: Ports;
  /** Which versions of MQTT it speaks, of 3.1.1 (4) and 5.0. */
  readonly versions: readonly (4 | 5)[];
  readonly users: Users;
  /** PEM of the authority that signed the server's certificate and those of the clients. */
  readonly authority: string;
  /** PEM of its own certificate, and its key. */
  readonly server: ClientIdentity;
  readonly bearers: readonly Bearer[];
  readonly impostors: readonly Impostor[];
  stop(): Promise<void>;
}

/** Its listeners, by what they speak and ask for. */
export interface Ports {
  readonly mqtt: number;
  readonly mqtts: number;
  readonly wss: number;
  /** A client certificate is required, and its common name is the user name. */
  readonly mqttsCertificate: number;
  readonly wssCertificate: number;
}

/** Passwords by user name. */
export type Users = Readonly<Record<'legitimate' | 'victim' | 'mallory' | 'watch', string>>;

export const host = '127.0.0.1';

/** A broker program that drills can be tried on. */
export interface Peer {
  readonly name: string;
  /** `name and version` of what is installed here. */
  version(): string;
  /** What it needs and this machine has not, and how to get it; undefined when nothing is missing. */
  missing(): string | undefined;
  /** Starts a fresh one that keeps its files in `directory`. */
  start(directory: string, setup: Setup, wishes: Wishes): Promise<PreparedBroker>;
}

/** What one drill wants otherwise than others. */
export interface Wishes {
  /** Logging in is not what is tried, so it need not take the time that it should. */
  readonly cheapPasswords: boolean;
  /** Nor is guessing: who is refused often may go on. */
  readonly neverLockedOut: boolean;
}

/** What is the same for all brokers of a run: files in PEM form, and texts. */
export interface Setup {
  readonly users: Users;
  /** In Mosquitto's format, which Moat reads, too. */
  readonly accessList: string;
  readonly certfile: string;
  readonly keyfile: string;
  readonly cafile: string;
  readonly crlfile: string;
  readonly authority: string;
  readonly server: ClientIdentity;
  readonly bearers: readonly Bearer[];
  readonly impostors: readonly Impostor[];
}
