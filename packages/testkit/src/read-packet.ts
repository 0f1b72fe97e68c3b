import type { RawClient } from './raw-client.js';

/** The next packet that a broker sends, in hexadecimal. */
export async function readPacket(client: RawClient): Promise<string> {
  const head = [...(await client.read(2))];
  while ((head.at(-1) ?? 0) > 0x7f) head.push(...(await client.read(1)));
  const length = head.slice(1).reduce((sum, byte, index) => sum + (byte & 0x7f) * 128 ** index, 0);
  return Buffer.concat([Buffer.from(head), await client.read(length)]).toString('hex');
}
