import { RawClient, readPacket } from '@moat/testkit';
import { type ConnectFields, connectPacket, type Version } from '@moat/testkit/packets';
import { type Address, host } from './broker/broker.js';

/** How long an answer may take, in milliseconds: passwords wait for one another to be checked. */
export const patience = 20_000;

/** What a broker made of one CONNECT. */
export interface Answer {
  /** The CONNACK in hexadecimal; undefined when the connection was closed, or not even accepted. */
  readonly connack: string | undefined;
  readonly isWelcome: boolean;
  /** From CONNECT to the answer. */
  readonly milliseconds: number;
}

/** Connects by `version`, hears the answer, and leaves. */
export async function knock(
  { host: to, port }: Address,
  version: Version,
  fields: ConnectFields,
  localAddress?: string,
): Promise<Answer> {
  let begun = performance.now();
  let connack: string | undefined;
  try {
    const from = localAddress === undefined ? {} : { localAddress };
    const client = await RawClient.connect(port, { host: to, timeout: patience, ...from });
    begun = performance.now();
    client.send(connectPacket(version, fields));
    connack = await readPacket(client).catch(() => undefined);
    client.send('e000');
    client.end();
  } catch {
    // Refused before anything was said.
  }
  const isWelcome = connack !== undefined && /^20..0[01]00/.test(connack);
  return { connack, isWelcome, milliseconds: performance.now() - begun };
}

/** Of the loopback network: that of those who attack, and that of those who do not. */
const attackers = 66;
export const legitimates = 77;

/** One of the many addresses of the loopback network; none for a broker on another family of addresses. */
export function sourceAddress({ host: to }: Address, index: number, network = attackers): string | undefined {
  return to === host ? `127.${network}.${(index >> 8) & 0xff}.${1 + (index % 250)}` : undefined;
}
