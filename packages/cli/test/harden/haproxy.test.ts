import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram, freePort, needs, RawClient, readPacket, run, waitFor } from '@moat/testkit';
import { haproxy } from '../../dist/harden/haproxy.js';
import { RunningBroker } from '../helpers/broker.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { patience, unhurried } from '../helpers/patience.js';
import { installationIn } from './installation.js';

const home = await temporaryDirectory();
const [plain, secure] = [await freePort(), await freePort()];
const brokers = { moat1: '127.0.0.2', moat2: '127.0.0.3' };
/** Where clients come from: the proxy and the brokers tell them apart. */
const addresses = Array.from({ length: 12 }, (_, index) => `127.0.1.${index + 1}`);

const limits = { rate: 20, burst: 2 };

function yamlFor(bind: string): string {
  const proxied = `bind: ${bind}, proxy_protocol: v2, trusted_proxies: [127.0.0.1]`;
  return `sys_interval: 0
listeners:
  - { protocol: mqtt, port: ${plain}, ${proxied} }
  - { protocol: mqtts, port: ${secure}, ${proxied} }
authentication: { allow_anonymous: true }
authorization: { default: allow }
log: { format: json }
`;
}

/** What is generated, but on one address: here the proxy and the brokers share a machine, and so the ports. */
function configurationFor(yaml: string): string {
  const text = haproxy.files(installationIn(home, yaml))[0]?.text ?? '';
  return text
    .replaceAll('bind :::', 'bind 127.0.0.1:')
    .replaceAll(' v4v6', '')
    .replace('inter 2s', 'inter 1s')
    .replace('check 5s', 'check 60s');
}

async function checked(text: string): Promise<{ code: number | null; said: string }> {
  const file = join(home, 'checked.cfg');
  await writeFile(file, text);
  const { code, stdout, stderr } = await run('haproxy', ['-c', '-f', file]);
  return { code, said: stdout + stderr };
}

describe('The configuration of HAProxy', needs('haproxy'), () => {
  it('is taken by HAProxy, whatever the listeners are', async () => {
    const configurations = [
      '',
      'listeners: [{ protocol: mqtts }, { protocol: wss, proxy_protocol: v1, trusted_proxies: [10.0.0.5] }]',
      'limits: { profile: off }',
      'limits: { profile: strict }\nguard: { allow: [10.0.0.0/8, "2001:db8::/32"] }',
    ];
    for (const configuration of configurations) {
      const { code, said } = await checked(configurationFor(configuration));
      assert.equal(code, 0, said);
      assert.doesNotMatch(said, /WARNING/);
    }
    assert.equal((await checked('listen x\n  bind nowhere\n')).code, 1);
  });

  describe('in front of two brokers', needs('mosquitto_pub', 'root'), () => {
    const running = new Map<string, RunningBroker>();
    let stopProxy: () => unknown = () => {};

    async function start(name: keyof typeof brokers): Promise<void> {
      const cwd = join(home, name);
      await mkdir(cwd, { recursive: true });
      running.set(name, await RunningBroker.start(cwd, `${yamlFor(brokers[name])}${unhurried}`));
    }

    /** Addresses whose clients a broker has seen. */
    const seenBy = (name: string): Set<string> => {
      const lines = (running.get(name)?.log ?? []) as readonly { msg: string; address?: string }[];
      return new Set(lines.flatMap(({ msg, address = '' }) => (msg === 'client.connected' ? [address] : [])));
    };
    const publish = async (from: string, ...options: string[]): Promise<boolean> => {
      const args = ['-h', '127.0.0.1', '-A', from, '-t', 'a', '-m', 'b', '-q', '1', '-V', '5'];
      const port = options.length > 0 ? secure : plain;
      return (await run('mosquitto_pub', [...args, '-p', String(port), ...options])).code === 0;
    };

    /** Often enough, and not so often that it is turned away for that. */
    const slowly = async (from: string): Promise<boolean> => {
      await pause(1_000 / limits.rate);
      return publish(from);
    };

    before(async () => {
      await Promise.all([start('moat1'), start('moat2')]);
      const file = join(home, 'haproxy.cfg');
      const { rate, burst } = limits;
      const own = `max_connections: 1000, connect_rate_per_address: ${rate}, connect_rate_per_subnet: 1000, connect_burst: ${burst}`;
      await writeFile(file, configurationFor(`${yamlFor('127.0.0.1')}limits: { ${own} }\n`));
      const proxy = spawn(findProgram('haproxy') ?? 'haproxy', ['-f', file, '-db'], { stdio: 'ignore' });
      const gone = once(proxy, 'exit');
      stopProxy = () => proxy.kill('SIGKILL') && gone;
      await waitFor(() => publish('127.0.1.100'), { timeout: patience });
    });
    after(async () => {
      await stopProxy();
      await Promise.all([...running.values()].map((broker) => broker.stop()));
    });

    it('gives each its share of the clients, whose real addresses they learn', async () => {
      for (const address of addresses) assert.ok(await publish(address), address);
      const [first, second] = [seenBy('moat1'), seenBy('moat2')];
      assert.ok(addresses.some((address) => first.has(address)) && addresses.some((address) => second.has(address)));
      for (const address of addresses) assert.notEqual(first.has(address), second.has(address), address);
    });

    it('lets TLS through, to be ended by the brokers', async () => {
      // Each broker here has an authority of its own; whose certificate comes depends on the address.
      const home1 = addresses.find((address) => seenBy('moat1').has(address)) ?? assert.fail();
      const ca = join(home, 'moat1/moat-data/pki/ca.crt');
      assert.ok(await publish(home1, '--cafile', ca, '--insecure'));
    });

    it('sends clients to the other one when a broker stops, and back', async () => {
      const mine = addresses.filter((address) => seenBy('moat1').has(address));
      assert.equal(await running.get('moat1')?.stop(), 0);
      for (const address of mine) await waitFor(() => slowly(address), { timeout: patience });
      for (const address of mine) assert.ok(seenBy('moat2').has(address), address);
      await start('moat1');
      await waitFor(async () => (await slowly(mine[0] ?? '')) && seenBy('moat1').has(mine[0] ?? ''), {
        timeout: patience,
      });
    });

    it('turns away who connects too often, before a broker sees it', async () => {
      const greedy = '127.0.2.1';
      const began = performance.now();
      const attempts = Array.from({ length: 200 }, () => isServed(greedy));
      const [served, modest] = [(await Promise.all(attempts)).filter(Boolean).length, await publish('127.0.2.2')];
      const windows = Math.ceil((performance.now() - began) / (1_000 * limits.burst)) + 1;
      assert.ok(served >= 1 && served <= windows * limits.rate * limits.burst, `${served} in ${windows} windows`);
      assert.ok(modest);
    });

    it('bothers no broker by its health checks', () => {
      for (const { log } of running.values()) {
        const codes = new Set(log.map(({ msg }) => msg));
        // A handshake that takes longer than a check may is broken off, and that is told: on a slow machine it happens.
        for (const code of ['proxy.rejected', 'client.protocol_error', 'auth.locked'])
          assert.ok(!codes.has(code), code);
      }
    });
  });
});

/** Whether a CONNECT from this address is answered. */
async function isServed(localAddress: string): Promise<boolean> {
  try {
    const client = await RawClient.connect(plain, { localAddress });
    client.send('100c 00044d515454 04 02 003c 0000');
    const answer = await readPacket(client);
    client.end();
    return answer.startsWith('20');
  } catch {
    return false;
  }
}
