import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { createAuthority, issueServerCertificate } from '@moat/pki';
import { WebSocket } from 'ws';
import { ping, portOf, readPacket, startBroker } from '../support/broker.js';
import { connectPacket, publish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const now = new Date();
const authority = await createAuthority({ now });
const server = await issueServerCertificate(authority, { hosts: ['127.0.0.1'], days: 1, now });
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const tls = { certfile: 'server.crt', keyfile: 'server.key', cafile: 'ca.crt', bind: '127.0.0.1', port: 0 };

const { broker, stop } = await startBroker(
  {
    listeners: [
      { protocol: 'mqtt', port: 0 },
      { protocol: 'mqtts', ...tls },
      { protocol: 'ws', port: 0 },
      { protocol: 'wss', ...tls },
    ],
  },
  {
    files: {
      'ca.crt': authority.certificate,
      'server.crt': server.certificate,
      'server.key': pem(server.privateKey),
    },
  },
);
after(stop);

/** Two ways to the same broker: bytes in pieces, and what comes back until it has so many bytes or the wire is closed. */
type Exchange = (pieces: readonly string[], length: number) => Promise<Buffer>;

function overSocket(protocol: 'mqtt' | 'mqtts'): Exchange {
  return async (pieces, length) => {
    const tls = protocol === 'mqtts' ? { tls: { ca: authority.certificate } } : {};
    const client = await RawClient.connect(portOf(broker, protocol), tls);
    for (const piece of pieces) client.send(piece);
    const heard = await client.read(length);
    client.send('e000');
    await client.closed();
    return heard;
  };
}

function overWebSocket(protocol: 'ws' | 'wss'): Exchange {
  return (pieces, length) => {
    const url = `${protocol}://127.0.0.1:${portOf(broker, protocol)}/mqtt`;
    const socket = new WebSocket(url, 'mqtt', { ca: authority.certificate });
    return new Promise((resolve, reject) => {
      let heard = Buffer.alloc(0);
      socket.on('open', () => {
        for (const piece of pieces) socket.send(Buffer.from(piece, 'hex'));
      });
      socket.on('message', (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk]);
        if (heard.length >= length) socket.send(Buffer.from('e000', 'hex'));
      });
      socket.on('close', () => resolve(heard));
      socket.on('error', reject);
    });
  };
}

const transports: Record<string, Exchange> = {
  mqtt: overSocket('mqtt'),
  mqtts: overSocket('mqtts'),
  ws: overWebSocket('ws'),
  wss: overWebSocket('wss'),
};

/** A conversation of one client with itself, and the whole of what it hears. */
function conversation(topic: string): { said: string; heard: Buffer } {
  const messages = Array.from({ length: 100 }, (_, index) => publish(4, topic, `${index}`));
  messages.push(publish(4, topic, 'b'.repeat(100_000)));
  const said = [connectPacket(4), subscribe(4, 1, { [topic]: 0 }), ...messages, 'c000'].join('');
  return { said, heard: Buffer.from(['20020000', '9003000100', ...messages, 'd000'].join(''), 'hex') };
}

/** Cuts hexadecimal into pieces of so many bytes. */
const cut = (hex: string, bytes: number): string[] => hex.match(new RegExp(`.{1,${2 * bytes}}`, 'g')) ?? [];

for (const [name, exchange] of Object.entries(transports)) {
  describe(`Over ${name}`, () => {
    for (const [title, bytes] of Object.entries({ 'in one piece': 1e6, 'cut small': 97, 'cut at odd places': 1021 })) {
      it(`bytes arrive whole and in order both ways, ${title} [MQTT-4.2-1]`, async () => {
        const { said, heard } = conversation(`transports/${name}/${bytes}`);
        const got = await exchange(cut(said, bytes), heard.length);
        assert.ok(got.equals(heard), `${got.length} bytes of ${heard.length}`);
      });
    }
  });
}

describe('A client', () => {
  it('that sends a byte at a time is understood [MQTT-4.2-1]', async () => {
    const client = await RawClient.connect(portOf(broker, 'mqtt'));
    for (const byte of cut(connectPacket(5), 1)) client.send(byte);
    assert.match(await readPacket(client), /^20..0000/);
    await ping(client);
    client.end();
  });
});
