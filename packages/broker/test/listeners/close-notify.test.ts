import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { needs, withDeadline } from '@moat/testkit';
import { portOf, startBroker } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { connectPacket } from '../support/packets.js';

const { broker, stop } = await startBroker(
  { listeners: [{ protocol: 'mqtts', bind: '127.0.0.1', port: 0 }] },
  { prepare: (path) => TestAuthority.create(path) },
);
after(stop);

/** Of CONNACK; s_client itself writes none. */
const twoZeros = '\0\0';

/** What s_client writes of the TLS messages that it gets when it sends CONNECT, and something more at once or behind CONNACK. */
async function received(connect: string, more: string, behindConnack: boolean): Promise<string[]> {
  const to = ['-connect', `127.0.0.1:${portOf(broker, 'mqtts')}`];
  const client = spawn('openssl', ['s_client', ...to, '-msg', '-ign_eof'], { stdio: ['pipe', 'pipe', 'ignore'] });
  client.stdin.on('error', () => {});
  let written = '';
  client.stdout.setEncoding('latin1').on('data', (text: string) => {
    written += text;
    if (behindConnack && written.includes(twoZeros)) client.stdin.end(more, 'hex');
  });
  if (behindConnack) client.stdin.write(connect, 'hex');
  else client.stdin.end(connect + more, 'hex');
  try {
    await withDeadline(once(client, 'close'), () => `s_client did not end: ${written}`);
  } finally {
    client.kill('SIGKILL');
  }
  assert.ok(written.includes(twoZeros), written);
  return written.split('\n').filter((line) => /^<<< TLS 1\.3|^read:errno/.test(line));
}

describe('A TLS client that says goodbye and stays', needs('openssl'), () => {
  for (const version of [4, 5] as const)
    for (const behindConnack of [false, true])
      it(`gets close_notify before the connection ends, in ${version}, ${behindConnack ? 'behind CONNACK' : 'at once'}`, async () => {
        const messages = await received(connectPacket(version), 'e000', behindConnack);
        assert.match(messages.at(-1) ?? '', /, Alert .*close_notify/);
      });
});
