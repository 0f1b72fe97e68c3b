import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findProgram, freePort, needs, waitFor } from '@moat/testkit';
import type { AuditFields } from '../../dist/index.js';
import { portOf, readPacket, silent, startBroker, type TestBroker } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { connectFrom } from '../support/from-address.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { RawWebSocket } from '../support/web-socket.js';

const protocols = ['mqtt', 'mqtts', 'wss'] as const;
const versions = { 'send-proxy': 'v1', 'send-proxy-v2': 'v2' } as const;

/** The real thing in front: one frontend for each listener and version, TLS passed through. */
describe('Behind HAProxy', needs('haproxy'), () => {
  const events: (AuditFields & { readonly event?: string })[] = [];
  let moat: TestBroker;
  let authority: TestAuthority;
  const ports = new Map<string, number>();
  let stopProxy: () => unknown = () => {};

  before(async () => {
    const listeners = protocols.map((protocol) => ({
      protocol,
      bind: '127.0.0.1',
      port: 0,
      proxy_protocol: 'any' as const,
      trusted_proxies: ['127.0.0.1'],
    }));
    moat = await startBroker(
      { listeners },
      {
        log: { ...silent, info: (fields) => void events.push(fields) },
        prepare: async (directory) => {
          authority = await TestAuthority.create(directory);
        },
      },
    );
    const sections: string[] = [
      'defaults',
      '  mode tcp',
      '  timeout connect 5s',
      '  timeout client 60s',
      '  timeout server 60s',
    ];
    for (const protocol of protocols) {
      for (const option of Object.keys(versions)) {
        const port = await freePort();
        ports.set(`${protocol} ${option}`, port);
        const server = `127.0.0.1:${portOf(moat.broker, protocol)} ${option}`;
        sections.push(
          `listen ${protocol}-${option}`,
          `  bind 127.0.0.1:${port}`,
          `  server moat ${server} check inter 100`,
        );
      }
    }
    const file = join(moat.directory, 'haproxy.cfg');
    await writeFile(file, `${sections.join('\n')}\n`);
    const proxy = spawn(findProgram('haproxy') ?? 'haproxy', ['-f', file, '-db'], { stdio: 'ignore' });
    const gone = once(proxy, 'exit');
    stopProxy = () => {
      proxy.kill('SIGKILL');
      return gone;
    };
    await waitFor(async () => (await RawClient.connect([...ports.values()].at(-1) ?? 0)).end() === undefined);
  });
  after(async () => {
    await stopProxy();
    await moat.stop();
  });

  const addressOf = (id: string): string | undefined =>
    events.findLast(({ event, clientId }) => event === 'client.connected' && clientId === id)?.address;

  for (const [option, version] of Object.entries(versions)) {
    it(`clients of mqtt are known by their own address, ${version}`, async () => {
      const client = await connectFrom('127.0.0.42', ports.get(`mqtt ${option}`) ?? 0);
      client.send(connectPacket(5, { clientId: `mqtt${version}` }));
      assert.match(await readPacket(client), /^20..0000/);
      assert.equal(addressOf(`mqtt${version}`), '127.0.0.42');
      client.end();
    });

    it(`so are those of mqtts, ${version}`, async () => {
      const tls = { ca: authority.ca, localAddress: '127.0.0.43' };
      const client = await RawClient.connect(ports.get(`mqtts ${option}`) ?? 0, { tls });
      client.send(connectPacket(5, { clientId: `mqtts${version}` }));
      assert.match(await readPacket(client), /^20..0000/);
      assert.equal(addressOf(`mqtts${version}`), '127.0.0.43');
      client.end();
    });

    it(`and those of wss, ${version}`, async () => {
      const options = { secure: true, ca: authority.ca, localAddress: '127.0.0.44' };
      const client = await RawWebSocket.connect(ports.get(`wss ${option}`) ?? 0, options);
      client.send(connectPacket(4, { clientId: `wss${version}` }));
      assert.equal(await client.read(4), '20020000');
      assert.equal(addressOf(`wss${version}`), '127.0.0.44');
      client.end();
    });
  }

  it('its health checks pass, and bother nobody', () => {
    const rejected = events.filter(({ event }) => event === 'proxy.rejected').map(({ reason }) => reason);
    assert.deepEqual(rejected, []);
  });
});
