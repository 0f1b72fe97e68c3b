import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { type AuditFields, OperatorErrors, parseConfiguration } from '../../dist/index.js';
import { ping, readPacket, silent, startBroker } from '../support/broker.js';
import { connectFrom } from '../support/from-address.js';
import { connectPacket, hex } from '../support/packets.js';
import { proxyV2 } from '../support/proxy-header.js';
import type { RawClient } from '../support/raw-client.js';

const events: (AuditFields & { readonly event?: string })[] = [];
const { broker, port, stop } = await startBroker(
  {
    listeners: [{ protocol: 'mqtt', port: 0, proxy_protocol: 'any', trusted_proxies: ['127.0.1.0/24'] }],
    limits: { proxy_header_timeout: 1, max_connections_per_address: 1 },
    authorization: { default: 'deny' },
  },
  {
    log: { ...silent, info: (fields) => void events.push(fields) },
    files: {
      'policy.yaml': 'rules:\n  - { subject: { address: 192.0.2.0/24 }, allow: connect, clientids: "*" }\n',
    },
  },
);
after(stop);
const patient = await startBroker(
  { listeners: [{ protocol: 'mqtt', port: 0, proxy_protocol: 'any', trusted_proxies: ['127.0.1.0/24'] }] },
  { log: { ...silent, info: (fields) => void events.push(fields) } },
);
after(patient.stop);
const real = { address: '192.0.2.7', port: 4_711 };

/** What a connection comes to that begins with these bytes, from a trusted proxy unless said otherwise. */
async function begin(bytes: Buffer | string, from = '127.0.1.9') {
  const client = await connectFrom(from, port);
  client.send(bytes);
  return client;
}

const rejected = () => events.filter(({ event }) => event === 'proxy.rejected').map(({ reason }) => reason);

describe('A listener with proxy_protocol', () => {
  it('knows the client by its real address: in the policy, in events, and for its share', async () => {
    const line = Buffer.from('PROXY TCP4 192.0.2.8 127.0.0.1 4711 1883\r\n');
    for (const header of [proxyV2(real, { checksum: true }), line]) {
      const client = await begin(Buffer.concat([header, Buffer.from(connectPacket(5, { clientId: 'real' }), 'hex')]));
      assert.match(await readPacket(client), /^20..0000/);
      await ping(client);
      const address = header === line ? '192.0.2.8' : '192.0.2.7';
      assert.equal(events.findLast(({ event }) => event === 'client.connected')?.address, address);
      const second = await begin(header);
      await second.closed();
      assert.equal(events.findLast(({ event }) => event === 'limit.connections')?.address, address);
      client.end();
      await client.closed();
    }
    const elsewhere = await begin(proxyV2({ address: '198.51.100.7', port: 1 }));
    elsewhere.send(connectPacket(5));
    assert.match(await readPacket(elsewhere), /^20..0085/);
  });

  it('takes the header in pieces, and what follows it in any cut', async () => {
    const bytes = Buffer.concat([proxyV2({ address: '192.0.2.20', port: 1 }), Buffer.from(connectPacket(4), 'hex')]);
    const client = await connectFrom('127.0.1.3', port);
    for (const byte of bytes) {
      client.send(hex(byte, 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await readPacket(client), '20020000');
    client.end();
  });

  it('lets the proxy itself in as itself: LOCAL', async () => {
    const client = await begin(proxyV2(real, { command: 0x20 }), '127.0.1.77');
    client.send(connectPacket(4));
    assert.equal(await readPacket(client), '20020002');
    assert.equal(events.findLast(({ event }) => event === 'policy.denied')?.address, '127.0.1.77');
  });

  const hostile: Readonly<Record<string, readonly [bytes: Buffer, reason: RegExp, from?: string]>> = {
    'a header from a stranger': [proxyV2(real), /no trusted proxy/, '127.0.0.1'],
    'a header that stops in the middle': [proxyV2(real).subarray(0, 20), /in time/],
    'no header': [Buffer.from(connectPacket(4), 'hex'), /no PROXY header/],
    'fields of 60,000 bytes': [proxyV2(real, { length: 60_000 }), /60016 bytes/],
    'a wrong checksum': [proxyV2(real, { fields: '03 0004 deadbeef' }), /checksum/],
    'a line that does not end': [Buffer.alloc(500, 'PROXY TCP4 '), /without an end/],
  };
  for (const [title, [bytes, reason, from]] of Object.entries(hostile)) {
    it(`closes on ${title}, and says why`, async () => {
      const before = rejected().length;
      await (await begin(bytes, from)).closed();
      await waitFor(() => rejected().length > before);
      assert.match(String(rejected().at(-1)), reason);
    });
  }

  it('closes on a header that trickles longer than it may', async () => {
    const client = await connectFrom('127.0.1.4', port);
    const trickle = setInterval(() => client.send('31'), 100);
    client.send(Buffer.from('PROXY TCP4 1'));
    await client.closed();
    clearInterval(trickle);
    await waitFor(() => broker.status().guard.connections === 0);
  });

  it('closes when its proxy leaves in the middle of a header, and says why', async () => {
    const before = rejected().length;
    const client = await begin(proxyV2(real).subarray(0, 20));
    client.socket.end();
    await client.closed();
    await waitFor(() => rejected().length > before);
    assert.match(String(rejected().at(-1)), /closed within the PROXY header/);
  });

  it('awaits a thousand headers at once, and closes on more; those that it awaits stay good', async () => {
    const waiting: RawClient[] = [];
    for (let count = 0; count < 1_000; count++) waiting.push(await connectFrom('127.0.1.5', patient.port));
    const before = rejected().length;
    await (await connectFrom('127.0.1.6', patient.port)).closed();
    await waitFor(() => rejected().length > before);
    assert.match(String(rejected().at(-1)), /too many PROXY headers/);
    const last = waiting.at(-1) as RawClient;
    last.send(Buffer.concat([proxyV2(real), Buffer.from(connectPacket(4), 'hex')]));
    assert.equal(await readPacket(last), '20020000');
    const again = await connectFrom('127.0.1.6', patient.port);
    again.send(Buffer.concat([proxyV2(real), Buffer.from(connectPacket(4), 'hex')]));
    assert.equal(await readPacket(again), '20020000');
    for (const client of [...waiting, again]) client.end();
  });

  it('needs to know its proxies', () => {
    const text = 'listeners:\n  - protocol: mqtt\n    proxy_protocol: v2\n';
    assert.throws(
      () => parseConfiguration(text, 'moat.yaml'),
      (error) => {
        assert.ok(error instanceof OperatorErrors);
        assert.match(error.message, /moat\.yaml:3:21: proxy_protocol without trusted_proxies/);
        return true;
      },
    );
    const ranges = 'listeners:\n  - protocol: mqtt\n    proxy_protocol: v2\n    trusted_proxies: [10.0.0.0/33]\n';
    assert.throws(() => parseConfiguration(ranges, 'moat.yaml'), /moat\.yaml:4:23: .*must be an IP address or a range/);
  });
});
