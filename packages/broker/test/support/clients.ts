import assert from 'node:assert/strict';
import { connected, readPacket } from './broker.js';
import { type ConnectFields, hex, subscribe, type Version } from './packets.js';
import type { RawClient } from './raw-client.js';

/** Whose tests run for both versions. */
export const versions = [4, 5] as const;

export const nameOf = (version: Version): string => (version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1');

/** A client that is connected and subscribed, with its SUBACK read; the filters come with their options byte. */
export async function subscriber(
  port: number,
  version: Version,
  filters: Readonly<Record<string, number>>,
  fields: ConnectFields = {},
): Promise<RawClient> {
  const client = await connected(port, version, fields);
  client.send(subscribe(version, 0xffff, filters));
  assert.match(await readPacket(client), /^90..ffff/);
  return client;
}

/** DISCONNECT, and the end of the connection: from then on the session is offline. */
export async function leave(client: RawClient): Promise<void> {
  client.send('e000');
  await client.closed();
  client.end();
}

export const puback = (packetId: number): string => `4002${hex(packetId, 2)}`;
export const pubrec = (packetId: number): string => `5002${hex(packetId, 2)}`;
export const pubrel = (packetId: number): string => `6202${hex(packetId, 2)}`;
export const pubcomp = (packetId: number): string => `7002${hex(packetId, 2)}`;

/** What makes a session outlive its connection: without an end in 3.1.1, for a minute in 5.0. */
export function stored(version: Version, clientId: string): ConnectFields {
  return { clientId, cleanStart: false, ...(version === 5 ? { properties: '110000003c' } : {}) };
}
