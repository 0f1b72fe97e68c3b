import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import type { QoS, Target } from '@moat/cli/load';
import { stopProcess } from '@moat/testkit';
import type { Certificate } from './certificate.js';

/** A broker program that can be measured. */
export interface Peer {
  /** As in the tables and on the command line. */
  readonly name: string;
  /** The highest QoS that it has. Default: 2. */
  readonly maximumQos?: QoS;
  /** `name and version` of what is installed here. */
  version(): string;
  /** What it needs and this machine has not, and how to get it; undefined when nothing is missing. */
  missing?(): string | undefined;
  /** Starts one fresh broker that keeps its files in `directory`; rejects when it does not become ready. */
  start(directory: string, certificate: Certificate): Promise<Broker>;
}

/** One running broker, on three ports of 127.0.0.1, that lets everybody do everything. */
export interface Broker {
  /** Its processes, the broker's own first: what they use is counted together. */
  readonly pids: readonly number[];
  readonly plain: Target;
  readonly secure: Target;
  /** Only who shows a certificate of the clients' authority that was not revoked is let in here. */
  readonly mutual: Target;
  stop(): Promise<void>;
}

export const host = '127.0.0.1';

export interface Ports {
  readonly plain: number;
  readonly secure: number;
  readonly mutual: number;
}

export async function freePorts(): Promise<Ports> {
  const servers = [net.createServer(), net.createServer(), net.createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, host);
    await once(server, 'listening');
    ports.push((server.address() as net.AddressInfo).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  const [plain = 0, secure = 0, mutual = 0] = ports;
  return { plain, secure, mutual };
}

/** The broker that `child` is, with those `behind` it, once `ready` resolves; when that rejects, all are stopped. */
export async function runningBroker(
  child: ChildProcess,
  ready: Promise<unknown>,
  ports: Ports,
  certificate: Certificate,
  behind: readonly ChildProcess[] = [],
): Promise<Broker> {
  const stop = async (): Promise<void> => {
    for (const each of [child, ...behind]) await stopProcess(each);
  };
  try {
    await ready;
  } catch (error) {
    await stop();
    throw error;
  }
  const tls = { ca: certificate.pem, servername: certificate.name };
  return {
    pids: [child, ...behind].flatMap(({ pid }) => pid ?? []),
    plain: { host, port: ports.plain },
    secure: { host, port: ports.secure, tls },
    mutual: { host, port: ports.mutual, tls: { ...tls, clients: certificate.clients.identities } },
    stop,
  };
}
