import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { connect } from 'node:net';
import { freePort, portReady, startProcess, stopProcess } from '@moat/testkit';
import { type Address, host, type Ports, type PreparedBroker, type Setup } from './broker.js';

export async function freePorts(): Promise<Ports> {
  const [mqtt, mqtts, wss, mqttsCertificate, wssCertificate] = await distinct(5);
  return { mqtt, mqtts, wss, mqttsCertificate, wssCertificate } as Ports;
}

async function distinct(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** What systemd gives a service; the hard limit, to which a program may raise it, is that of this machine. */
const softDescriptors = 1_024;

/** Starts a broker with as many file descriptors as it would have as a service, until it asks for more. */
export function startAsService(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const limited = `ulimit -S -n ${softDescriptors}; exec "$0" "$@"`;
  return startProcess('/bin/sh', ['-c', limited, command, ...args], options);
}

/** The broker that `child` is, once it listens. */
export async function preparedBroker(
  name: string,
  child: ChildProcess,
  ports: Ports,
  { users, authority, server, bearers, impostors }: Setup,
  versions: readonly (4 | 5)[] = [4, 5],
): Promise<PreparedBroker> {
  const stop = (): Promise<void> => stopProcess(child);
  try {
    for (const port of Object.values(ports) as number[]) await portReady(child, port);
  } catch (cause) {
    await stop();
    throw new Error(`${name} ${(cause as Error).message}`, { cause });
  }
  const address = { host, port: ports.mqtt };
  return {
    name,
    address,
    secure: { host, port: ports.mqtts, tls: { ca: authority } },
    legitimate: { username: 'legitimate', password: users.legitimate },
    insider: { credentials: { username: 'mallory', password: users.mallory }, topic: 'open' },
    pids: child.pid === undefined ? [] : [child.pid],
    ports,
    versions,
    users,
    authority,
    server,
    bearers,
    impostors,
    isAlive: async () => child.exitCode === null && child.signalCode === null && (await accepts(address)),
    stop,
  };
}

/** Whether anybody listens there. */
export function accepts({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
