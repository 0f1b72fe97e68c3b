import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { needs, python, run, waitFor } from '@moat/testkit';
import { nftables } from '../../dist/harden/nftables.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { command } from '../helpers/moat.js';
import { patience } from '../helpers/patience.js';
import { installationIn } from './installation.js';
import { connectedPair } from './network.js';

const rates = { address: 5, network: 8 };
const burst = 2;
const yaml = `sys_interval: 0
listeners: [{ protocol: mqtt, port: 1883, bind: "*", expose_plaintext: true }]
limits: { connect_rate_per_address: ${rates.address}, connect_rate_per_subnet: ${rates.network}, connect_burst: ${burst} }
guard: { allow: [10.77.0.9] }
log: { format: json }
`;

/** Services that nobody asked for: TCP 22 and 9999, UDP 9998. Prints each datagram. */
const others = `
import socket, threading
def tcp(port):
  s = socket.create_server(('', port)); s.listen(100)
  while True: s.accept()[0].close()
for port in (22, 9999): threading.Thread(target=tcp, args=(port,), daemon=True).start()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 9998))
print('ready', flush=True)
while True: print(s.recv(100).decode(), flush=True)
`;

/** Begins connections all at once, from each of the sources in turn. Prints how many came about before the time was over, and the time that took. */
const flood = `
import select, socket, sys, time
count, patience, host, port, sources = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5:]
family = socket.AF_INET6 if ':' in host else socket.AF_INET
began, all = time.monotonic(), []
for i in range(count):
  s = socket.socket(family, socket.SOCK_STREAM); s.setblocking(False); s.bind((sources[i % len(sources)], 0))
  s.connect_ex((host, port)); all.append(s)
waiting, opened = set(all), 0
while waiting and time.monotonic() < began + patience:
  ready = select.select([], list(waiting), [], 0.1)[1]
  opened += sum(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 for s in ready)
  waiting -= set(ready)
print(opened, time.monotonic() - began)
`;

const home = await temporaryDirectory();

function rulesFor(configuration: string): string {
  return nftables.files(installationIn(home, configuration))[0]?.text ?? '';
}

/** Whether nft takes it, without putting anything in force. */
async function complaint(rules: string): Promise<string> {
  return (await run('unshare', ['--net', 'nft', '-c', '-f', '-'], { input: rules })).stderr;
}

describe('The rules of nftables', needs('nft', 'root', 'unshare', 'nsenter', 'ip', 'python3:socket'), () => {
  it('are taken by nft, whatever the listeners are', async () => {
    const proxies = 'proxy_protocol: v2, trusted_proxies: [10.0.0.5, 10.0.1.0/24, "2001:db8::5"]';
    const configurations = [
      '',
      'listeners: [{ protocol: mqtt }]',
      `listeners: [{ protocol: mqtts, ${proxies} }, { protocol: wss, bind: 192.0.2.1 }]`,
      'listeners: [{ protocol: mqtts, bind: "2001:db8::1" }, { protocol: wss, bind: 0.0.0.0 }]',
      'guard: { allow: [10.0.0.0/8, 10.1.0.0/16, "2001:db8::/32"] }',
      'limits: { profile: off }',
      'limits: { subnet_prefix_ipv4: 20, subnet_prefix_ipv6: 56 }',
      'limits: { profile: strict, connect_burst: 3600 }',
      'limits: { connect_rate_per_address: 4000000000, connect_burst: 3600 }',
    ];
    for (const configuration of configurations)
      assert.equal(await complaint(rulesFor(configuration)), '', configuration);
    assert.match(await complaint(rulesFor('').replace('policy drop', 'policy dropp')), /error/i);
  });

  it('let proxies alone come to a listener that is behind them', () => {
    const rules = rulesFor('listeners: [{ protocol: mqtts, proxy_protocol: v2, trusted_proxies: [10.0.0.5] }]');
    assert.match(rules, /^ {4}tcp dport 8883 ip saddr \{ 10\.0\.0\.5 \} accept$/m);
    assert.doesNotMatch(rules, /jump newcomer/);
  });

  it('cannot be written for a port that nobody knows', () => {
    assert.throws(() => rulesFor('listeners: [{ protocol: mqtts, port: 0 }]'), /mqtts listener on \* has port 0/);
    assert.doesNotMatch(rulesFor('listeners: [{ protocol: mqtt, port: 0 }]'), /newcomer$/m);
  });

  describe('in front of a broker', () => {
    type Pair = Awaited<ReturnType<typeof connectedPair>>;
    let pair: Pair;
    const datagrams: string[] = [];
    const stop: (() => unknown)[] = [];

    /** How many of so many connections came about, and how many may have. @param wait in seconds */
    const connections = async (wait: number, host: string, port: number, count: number, ...sources: string[]) => {
      const args = [python, '-c', flood, String(count), String(wait), host, String(port), ...sources];
      const { stdout, stderr } = await run(...pair.client.enter(...args), { timeout: patience });
      const [number, seconds] = stdout.split(' ').map(Number);
      assert.ok(number !== undefined && seconds !== undefined, stderr);
      return { number, most: (rate: number) => Math.ceil(rate * (burst + seconds)) + 1 };
    };
    const opened = connections.bind(undefined, 30);
    /** For those that are not to come about. */
    const tried = connections.bind(undefined, 2);
    const begin = async (words: readonly string[], isReady: (line: string) => boolean, seen: string[] = []) => {
      const child = spawn(...pair.server.enter(...words), { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
      createInterface(child.stdout).on('line', (line) => seen.push(line));
      const gone = once(child, 'exit');
      stop.push(() => child.kill('SIGKILL') && gone);
      await waitFor(() => seen.some(isReady), { timeout: patience });
    };
    const sendDatagram = (text: string) =>
      pair.client.sh(
        `${python} -c "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'${text}', ('10.77.0.1', 9998))"`,
      );

    before(async () => {
      pair = await connectedPair({
        server: ['10.77.0.1/24', 'fd77:1::1/64', 'fd77:2::1/64'],
        client: [
          '10.77.0.2/24',
          '10.77.0.3/24',
          '10.77.0.9/24',
          'fd77:1::2/64',
          'fd77:1::3/64',
          'fd77:1::4/64',
          'fd77:1::5/64',
          'fd77:2::2/64',
        ],
      });
      await mkdir(join(home, 'moat-data'));
      await writeFile(join(home, 'moat.yaml'), yaml);
      await begin([python, '-c', others], (line) => line === 'ready', datagrams);
      await begin([command, 'start'], (line) => line.includes('"msg":"ready"'));
      // Without rules everything is open: it is them that close it.
      assert.equal((await opened('10.77.0.1', 9999, 1, '10.77.0.2')).number, 1);
      assert.equal((await opened('10.77.0.1', 1883, 100, '10.77.0.2')).number, 100);
      await sendDatagram('before');
      await waitFor(() => datagrams.includes('before'), { timeout: patience });
      await pair.server.sh('nft -f -', rulesFor(yaml));
    });
    after(async () => {
      await Promise.all(stop.map((end) => end()));
      await pair.end();
    });

    it('let a client reach the listener, and whoever administers the machine ssh', async () => {
      assert.equal((await opened('10.77.0.1', 1883, 1, '10.77.0.3')).number, 1);
      assert.equal((await opened('fd77:1::1', 1883, 1, 'fd77:1::3')).number, 1);
      assert.equal((await opened('10.77.0.1', 22, 1, '10.77.0.3')).number, 1);
    });

    it('drop what is for another port, and datagrams', async () => {
      assert.equal((await tried('10.77.0.1', 9999, 1, '10.77.0.3')).number, 0);
      await sendDatagram('behind');
      // It came first, if it came at all.
      assert.equal((await opened('10.77.0.1', 22, 1, '10.77.0.3')).number, 1);
      assert.ok(!datagrams.includes('behind'));
    });

    it('leave the machine itself alone', async () => {
      const self = `${python} -c "import socket; socket.create_connection(('127.0.0.1', 9999)).close()"`;
      await pair.server.sh(self);
    });

    it('limit the new connections of one address, and let another in meanwhile', async () => {
      const [greedy, modest] = await Promise.all([
        tried('10.77.0.1', 1883, 200, '10.77.0.2'),
        opened('10.77.0.1', 1883, 1, '10.77.0.3'),
      ]);
      const most = greedy.most(rates.address);
      assert.ok(greedy.number >= 1 && greedy.number <= most, `${greedy.number} of at most ${most}`);
      assert.equal(modest.number, 1);
    });

    it('limit those of one network together', async () => {
      const greedy = await tried('fd77:1::1', 1883, 200, ...[2, 3, 4, 5].map((last) => `fd77:1::${last}`));
      const most = greedy.most(rates.network);
      assert.ok(greedy.number >= 1 && greedy.number <= most, `${greedy.number} of at most ${most}`);
      assert.equal((await opened('fd77:2::1', 1883, 1, 'fd77:2::2')).number, 1);
    });

    it('do not limit whom the guard allows', async () => {
      assert.equal((await opened('10.77.0.1', 1883, 100, '10.77.0.9')).number, 100);
    });

    it('replace themselves', async () => {
      await pair.server.sh('nft -f -', rulesFor(yaml));
      const chains = await pair.server.sh('nft list chains');
      assert.equal(chains.match(/chain input/g)?.length, 1);
    });
  });
});
