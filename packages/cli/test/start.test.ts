import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { connect } from '@moat/client';
import { freePort, needs, waitFor } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { command, moat, startMoat } from './helpers/moat.js';

const root = await temporaryDirectory();

async function directory(name: string): Promise<string> {
  await mkdir(join(root, name));
  return join(root, name);
}

test('the first start makes everything, is ready in one line, and keeps the password out of the log', async () => {
  const cwd = await directory('first');
  const broker = await RunningBroker.start(cwd);
  const { level, time, listeners } = await broker.logged('ready');
  assert.equal(level, 'info');
  assert.ok(Math.abs(time - Date.now()) < 60_000);
  assert.deepEqual(
    listeners?.map(({ protocol }) => protocol),
    ['mqtts', 'mqtt', 'ws'],
  );
  assert.equal(await broker.stop(), 0);
  const file = join(cwd, 'moat-data/admin-password');
  const password = (await readFile(file, 'utf8')).trim();
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(!JSON.stringify(broker.log).includes(password));
  assert.ok(
    broker.log.some((line) => line.file === file),
    'the log names the file',
  );
});

test('a second start keeps what is there, and says nothing of passwords', async () => {
  const cwd = await directory('second');
  await (await RunningBroker.start(cwd)).stop();
  const files = ['pki/ca.crt', 'pki/server.crt', 'passwords', 'policy.yaml', 'admin-password'];
  const read = () => Promise.all(files.map((file) => readFile(join(cwd, 'moat-data', file), 'utf8')));
  const before = await read();
  const broker = await RunningBroker.start(cwd);
  assert.equal(await broker.stop('SIGINT'), 0);
  assert.deepEqual(await read(), before);
  assert.ok(!JSON.stringify(broker.log).includes('password'));
});

test(
  'on a terminal the first start shows what to type, and it works as it stands',
  needs('script', 'mosquitto_pub', 'mosquitto_sub'),
  async () => {
    const cwd = await directory('terminal');
    const port = await freePort();
    await writeFile(join(cwd, 'moat.yaml'), `listeners: [{ protocol: mqtts, bind: 127.0.0.1, port: ${port} }]\n`);
    const child = startTerminal(cwd);
    let shown = '';
    for await (const chunk of child.stdout) {
      shown += String(chunk);
      if (/ ready /.test(shown)) break;
    }
    try {
      const lines = shown
        .replaceAll('\r', '')
        .split('\n')
        .map((line) => line.trim());
      const line = (start: string) =>
        lines.find((one) => one.startsWith(start)) ?? assert.fail(`no ${start} in ${shown}`);
      const password = /password (\S+)/.exec(line('The administrator'))?.[1] ?? '';
      assert.ok(line('mosquitto_sub').includes(`-P ${password}`));
      const { PATH: inherited = '' } = process.env;
      const path = `${join(command, '..')}:${inherited}`;
      const run = (typed: string) =>
        promisify(execFile)('sh', ['-c', typed], { cwd, env: { ...process.env, PATH: path } });
      for (const publish of ['mosquitto_pub', `MOAT_PASSWORD=${password} moat pub`]) {
        for (const subscribe of ['mosquitto_sub', `MOAT_PASSWORD=${password} moat sub`]) {
          await run(`${line(publish)} -q 1 -r`);
          assert.equal((await run(`${line(subscribe)} -C 1`)).stdout, 'devices/pump-7/hello hello\n');
        }
      }
    } finally {
      child.stdin.write('\u0003');
      await once(child, 'exit');
    }
  },
);

for (const [whose, OPENSSL_CONF, sent] of [
  ['no ticket to resume it follows a TLS handshake', undefined, 0],
  ['who has a configuration of OpenSSL of their own keeps it, and has tickets sent', '/dev/null', 2],
] as const)
  test(whose, async () => {
    const broker = await RunningBroker.start(await directory(`${sent}-tickets`), undefined, { env: { OPENSSL_CONF } });
    const socket = connectTls({ port: await broker.port('mqtts'), rejectUnauthorized: false });
    let tickets = 0;
    socket.on('session', () => tickets++);
    socket.write(Buffer.from('100c00044d515454040200000000', 'hex')); // an anonymous CONNECT
    const [answer] = await once(socket, 'data'); // behind the tickets
    assert.equal(String(answer.toString('hex')), '20020005');
    assert.equal(tickets, sent);
    socket.destroy();
    await broker.stop();
  });

/** `moat start` on a terminal of its own, as `script` makes one; Ctrl-C on its standard input ends the broker. */
function startTerminal(cwd: string) {
  return spawn('script', ['-qec', `${command} start`, '/dev/null'], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
}

test(
  'every transport takes the clients that the policy allows, and Mosquitto clients by certificate',
  needs('mosquitto_sub'),
  async () => {
    const cwd = await directory('clients');
    const broker = await RunningBroker.start(cwd);
    const password = (await readFile(join(cwd, 'moat-data/admin-password'), 'utf8')).trim();
    const ca = await readFile(join(cwd, 'moat-data/pki/ca.crt'));
    for (const protocol of ['mqtts', 'mqtt', 'ws'] as const) {
      const tls = protocol === 'mqtts' ? { ca } : {};
      const port = await broker.port(protocol);
      const client = await connect({ protocol, port, ...tls, username: 'admin', password, reconnect: false });
      const subscription = await client.subscribe('any/topic', { qos: 1 });
      await client.publish('any/topic', protocol, { qos: 1 });
      for await (const { payload } of subscription) {
        assert.equal(payload.toString(), protocol);
        break;
      }
      await client.close();
    }
    const port = await broker.port('mqtts');
    await moat(['device', 'add', 'pump-7', '--host', 'localhost', '--port', String(port)], { cwd });
    const device = (...args: string[]) => moat([...args, '--connection', 'pump-7/connection.json'], { cwd });
    const kept = await device('pub', '-t', 'devices/pump-7/state', '-m', 'on', '-r', '-q', '1');
    assert.equal(kept.code, 0, kept.stderr);
    assert.equal((await device('sub', '-t', 'devices/pump-7/#', '-C', '1', '-W', '10')).stdout, 'on\n');
    const files = ['--cafile', 'pump-7/ca.crt', '--cert', 'pump-7/client.crt', '--key', 'pump-7/client.key'];
    const where = ['-h', 'localhost', '-p', String(port), '-t', 'devices/pump-7/state'];
    // The name in the certificate is what the client ID begins with: any other is denied.
    const byFiles = await moat(['sub', ...where, ...files, '-C', '1', '-W', '10'], { cwd });
    assert.deepEqual(byFiles, { code: 0, stdout: 'on\n', stderr: '' });
    const noKey = await moat(['pub', ...where, ...files.slice(0, 4), '-m', 'on'], { cwd });
    assert.equal(noKey.code, 2);
    assert.match(noKey.stderr, /a client certificate and its key go together/);
    const noCertificate = await moat(['pub', ...where, '--cert', 'moat.yaml', '-m', 'on'], { cwd });
    assert.equal(noCertificate.code, 2);
    assert.match(noCertificate.stderr, /not a certificate in PEM/);
    const denied = await device('pub', '-t', 'devices/other/state', '-m', 'on', '-q', '1');
    assert.equal(denied.code, 1);
    assert.match(denied.stderr, /denied to publish devices\/other\/state: not authorized/);
    const tls = ['--cafile', 'ca.crt', '--cert', 'client.crt', '--key', 'client.key'];
    const args = [
      '-h',
      'localhost',
      '-p',
      String(port),
      ...tls,
      '-i',
      'pump-7',
      '-t',
      'devices/pump-7/state',
      '-C',
      '1',
    ];
    const { stdout } = await promisify(execFile)('mosquitto_sub', args, { cwd: join(cwd, 'pump-7') });
    assert.equal(stdout, 'on\n');
    assert.equal(await broker.stop(), 0);
  },
);

test('-p is one plain listener on loopback, and -v logs more', async () => {
  const cwd = await directory('plain');
  const port = await freePort();
  const child = startMoat(['start', '-p', String(port), '-v'], { cwd });
  for await (const chunk of child.stdout) if (String(chunk).includes('"msg":"ready"')) break;
  const password = (await readFile(join(cwd, 'moat-data/admin-password'), 'utf8')).trim();
  const status = JSON.parse((await moat(['status', '--json'], { cwd })).stdout);
  assert.deepEqual(status.listeners, [{ protocol: 'mqtt', address: '127.0.0.1', port }]);
  const url = `mqtt://localhost:${port}`;
  const { code } = await moat(['pub', '--url', url, '-u', 'admin', '-P', password, '-t', 'x', '-m', 'x'], { cwd });
  assert.equal(code, 0);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('pub takes TLS 1.2 from a server only where --tls-version allows it', needs('openssl'), async (t) => {
  const cwd = await directory('tls12');
  await moat(['init'], { cwd });
  const port = String(await freePort());
  const files = ['-cert', 'moat-data/pki/server.crt', '-key', 'moat-data/pki/server.key'];
  const server = spawn('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, ...files, '-tls1_2'], {
    cwd,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.after(() => server.kill('SIGKILL'));
  let seen = '';
  server.stdout.on('data', (chunk) => {
    seen += String(chunk);
    if (String(chunk).includes('CIPHER is')) server.stdin.write('Q\n'); // it speaks no MQTT
  });
  await waitFor(() => seen.includes('ACCEPT'));
  const refused = await moat(['pub', '-h', 'localhost', '-p', port, '-t', 'x', '-m', 'x'], { cwd });
  assert.deepEqual([refused.code, /protocol version/.test(refused.stderr)], [3, true]);
  assert.doesNotMatch(seen, /CIPHER is/);
  await moat(['pub', '-h', 'localhost', '-p', port, '-t', 'x', '-m', 'x', '--tls-version', 'tlsv1.2'], { cwd });
  assert.match(seen, /CIPHER is/);
});

test('SIGTERM tells clients of MQTT 5.0 that the server shuts down', async () => {
  const cwd = await directory('shutdown');
  const broker = await RunningBroker.start(cwd);
  const password = (await readFile(join(cwd, 'moat-data/admin-password'), 'utf8')).trim();
  const port = await broker.port('mqtt');
  const client = await connect({ protocol: 'mqtt', port, username: 'admin', password, reconnect: false });
  const closed = once(client, 'closed');
  assert.equal(await broker.stop(), 0);
  assert.equal((await closed)[0].reasonCode, 0x8b);
});

test('SIGHUP takes new users, and what is wrong changes nothing', async () => {
  const cwd = await directory('reload');
  const broker = await RunningBroker.start(cwd);
  const options = { protocol: 'mqtt', port: await broker.port('mqtt'), reconnect: false } as const;
  await moat(['passwd', 'moat-data/passwords', 'alice', '-b', 'secret'], { cwd });
  const alice = { ...options, username: 'alice', password: 'secret' };
  await assert.rejects(connect(alice), { code: 'refused' });
  broker.process.kill('SIGHUP');
  await broker.logged('config.reloaded');
  await (await connect(alice)).close();
  await writeFile(join(cwd, 'moat.yaml'), 'nonsense: 1\n');
  broker.process.kill('SIGHUP');
  const { reason } = await broker.logged('cannot reload; what was in force stays');
  assert.match(String(reason), /moat\.yaml:1:1: /);
  await (await connect(alice)).close();
  assert.equal(await broker.stop(), 0);
});

test('a port in use is one line that names it, and exit code 1', async () => {
  const cwd = await directory('in-use');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await moat(['start', '-p', String(port)], { cwd });
  server.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^moat: [^\\n]*${port}[^\\n]*\\n$`));
});

test('a mistake in the configuration is told with its place, exit code 2, and nothing is made', async () => {
  const cwd = await directory('mistake');
  await writeFile(join(cwd, 'moat.yaml'), 'listners: []\n');
  const { code, stdout, stderr } = await moat(['start'], { cwd });
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^moat\.yaml:1:1: .*listeners/);
  await assert.rejects(stat(join(cwd, 'moat-data')), { code: 'ENOENT' });
});

test('moat status shows a running broker, and exits with 3 when there is none', async () => {
  const cwd = await directory('status');
  const broker = await RunningBroker.start(cwd);
  const { code, stdout } = await moat(['status'], { cwd });
  assert.equal(code, 0);
  assert.match(stdout, /^listeners {6}mqtts 127\.0\.0\.1:\d+, mqtt 127\.0\.0\.1:\d+, ws /m);
  assert.equal(JSON.parse((await moat(['status', '--json'], { cwd })).stdout).pid, broker.process.pid);
  await broker.stop();
  const gone = await moat(['status'], { cwd });
  assert.equal(gone.code, 3);
  assert.match(gone.stderr, /no broker answers at \S*admin\.sock/);
});

test('moat bench measures messages and connections', async () => {
  const cwd = await directory('bench');
  const broker = await RunningBroker.start(cwd);
  const env = { MOAT_PASSWORD: (await readFile(join(cwd, 'moat-data/admin-password'), 'utf8')).trim() };
  const port = String(await broker.port('mqtts'));
  const bench = (...args: string[]) => moat(['bench', '-p', port, '-u', 'admin', ...args], { cwd, env });
  const traffic = await bench('--seconds', '0.2', '-q', '1', '--window', '20', '--json');
  assert.equal(traffic.code, 0, traffic.stderr);
  const { delivered, expected } = JSON.parse(traffic.stdout);
  assert.ok(delivered > 0);
  assert.equal(delivered, expected);
  const told = await bench('--seconds', '0.2', '--rate', '100');
  assert.match(
    told.stdout,
    /^sent {7}(\d+)\ndelivered {2}\1 of \1\ntime {7}\d+\.\d\d s\nrate {7}\d+ messages a second\nlatency {4}p50 [\d.]+ ms, p99 [\d.]+ ms, most [\d.]+ ms\n$/,
  );
  assert.match((await bench('--connects', '20')).stdout, /^connections {2}20\n/);
  for (const what of [[], ['--connects', '1']]) {
    const refused = await moat(['bench', '-p', port, '-u', 'admin', '-P', 'wrong', ...what], { cwd });
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /^moat: cannot put a load on localhost: the broker refused the connection/);
  }
  await broker.stop();
});

test('moat bench is a device by its certificate, and sends what it is told to', async () => {
  const cwd = await directory('bench-device');
  const broker = await RunningBroker.start(cwd);
  const port = String(await broker.port('mqtts'));
  assert.equal((await moat(['device', 'add', 'pump-7', '--host', 'localhost', '--port', port], { cwd })).code, 0);
  const bench = (...args: string[]) =>
    moat(['bench', '-p', port, '--connection', 'pump-7/connection.json', ...args, '--json'], { cwd });
  const connected = await bench('--connects', '5', '--concurrency', '2');
  assert.equal(connected.code, 0, connected.stderr);
  const pairs = ['--publishers', '2', '--subscribers', '2'];
  const { code, stdout, stderr } = await bench(...pairs, '--rate', '100', '--size', '10000', '--seconds', '0.5');
  assert.equal(code, 0, stderr);
  const { sent } = JSON.parse(stdout);
  assert.ok(sent > 0 && sent <= 60, `${sent} sent`);
  const { traffic } = JSON.parse((await moat(['status', '--json'], { cwd })).stdout);
  assert.ok(traffic.bytesReceived >= sent * 10_000);
  await broker.stop();
});
