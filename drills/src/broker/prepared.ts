import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { freePort, portReady, stopProcess } from '@moat/testkit';
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
    legitimate: { username: 'legitimate', password: users.legitimate },
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
