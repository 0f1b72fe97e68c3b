import { randomBytes } from 'node:crypto';
import { type Mechanism, mechanisms } from '@moat/scram';
import { RawClient, readPacket } from '@moat/testkit';
import { connectPacket, group, packet, text } from '@moat/testkit/packets';
import type { Address } from './broker/broker.js';
import { type Answer, patience } from './knock.js';
import { newId } from './stage.js';

/**
 * Begins to prove by SCRAM what it does not know, and hears how that ends. `connack` is all that was answered, with the
 * number of characters in place of what is another each time.
 */
export async function knockByScram(
  { host, port }: Address,
  mechanism: Mechanism,
  username: string,
  localAddress: string | undefined,
): Promise<Answer> {
  const from = localAddress === undefined ? {} : { localAddress };
  const client = await RawClient.connect(port, { host, timeout: patience, ...from });
  let milliseconds = 0;
  const ask = async (bytes: string): Promise<string> => {
    const begun = performance.now();
    client.send(bytes);
    const answer = await readPacket(client).catch(() => '');
    milliseconds += performance.now() - begun;
    return answer;
  };
  const properties = (data: string) => `15${text(mechanism)}16${text(data)}`;
  try {
    const first = `n,,n=${username},r=${randomBytes(18).toString('base64')}`;
    let heard = await ask(connectPacket(5, { clientId: newId('probe'), properties: properties(first) }));
    const [, nonce, salt, iterations] =
      /r=([^,]+),s=([^,]+),i=(\d+)/.exec(Buffer.from(heard, 'hex').toString('latin1')) ?? [];
    if (nonce !== undefined) {
      const proof = randomBytes(mechanisms[mechanism].length).toString('base64');
      const outcome = await ask(packet('f0', '18', group(properties(`c=biws,r=${nonce},p=${proof}`))));
      heard = `r=${nonce.length},s=${salt?.length},i=${iterations} then ${outcome}`;
    }
    return { connack: heard, isWelcome: false, milliseconds };
  } finally {
    client.end();
  }
}
