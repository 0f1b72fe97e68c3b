import { setTimeout as pause } from 'node:timers/promises';
import { RawClient, readPacket } from '@moat/testkit';
import { connectPacket } from '@moat/testkit/packets';
import type { Address, Credentials } from '../broker/broker.js';

const hour = 3_600_000;

/** Connects by MQTT 3.1.1 and waits for a CONNACK that says yes. */
export async function login(
  { host, port, tls }: Address,
  credentials: Credentials | undefined,
  clientId: string,
  localAddress?: string,
): Promise<RawClient> {
  const from = localAddress === undefined ? {} : { localAddress };
  const client = await RawClient.connect(port, { host, timeout: hour, ...from, ...(tls === undefined ? {} : { tls }) });
  client.send(connectPacket(4, { ...credentials, clientId }));
  const connack = await readPacket(client);
  if (!/^2002..00$/.test(connack)) {
    client.end();
    throw new Error(`the answer to CONNECT was ${connack}`);
  }
  return client;
}

/** How long a client goes on trying, and how long it waits each time, in milliseconds. */
const perseverance = 30_000;
const betweenTries = 500;

/** Does it again until it works: a broker that has too much to do turns newcomers away. */
export async function persevere<T>(attempt: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + perseverance; ; await pause(betweenTries)) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** The name of a client of a drill, as the default policy lets a user have it. */
export function clientIdOf(credentials: Credentials | undefined, name: string): string {
  return credentials === undefined ? `drill-${name}` : `${credentials.username}:drill-${name}`;
}
