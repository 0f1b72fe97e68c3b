import assert from 'node:assert/strict';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs, waitFor } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { NotifySocket } from './helpers/notify-socket.js';
import { patience } from './helpers/patience.js';

const home = await temporaryDirectory();
const configuration = 'listeners: [{ protocol: mqtt, port: 0 }]\nsys_interval: 0\nlog: { format: json }\n';

async function started(t: TestContext, name: string, env: NodeJS.ProcessEnv): Promise<RunningBroker> {
  const cwd = join(home, name);
  await mkdir(cwd);
  const broker = await RunningBroker.start(cwd, configuration, { env });
  t.after(() => broker.stop('SIGKILL'));
  return broker;
}

async function opened(t: TestContext, name: string): Promise<NotifySocket> {
  const socket = await NotifySocket.open(name);
  t.after(() => socket.close());
  return socket;
}

/** Processes that the broker has started. */
async function childrenOf({ process: { pid } }: RunningBroker): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

const programs = needs('systemd-notify', 'python3:socket');

test('a service manager is told that the broker is ready, lives, reloads and stops', programs, async (t) => {
  const socket = await opened(t, join(home, 'notify'));
  const env = { NOTIFY_SOCKET: join(home, 'notify'), WATCHDOG_USEC: '400000' };
  const broker = await started(t, 'told', env);
  assert.deepEqual(await socket.until('READY=1'), ['READY=1']);
  const [status = ''] = await socket.until(/^STATUS=/);
  assert.equal(status, `STATUS=0 clients, listening: mqtt ${await broker.port('mqtt')}`);
  for (let times = 0; times < 3; times++) await socket.until('WATCHDOG=1');
  broker.process.kill('SIGHUP');
  await socket.until('RELOADING=1');
  await socket.until('READY=1');
  // systemd may signal the whole group; what it started must live until the end is told.
  for (const child of await childrenOf(broker)) process.kill(child, 'SIGTERM');
  assert.equal(await broker.stop(), 0);
  await socket.until('STOPPING=1');
  await socket.until('STATUS=stopping');
  assert.ok(!socket.received.includes('WATCHDOG=1'));
});

test('an abstract socket will do; without a watchdog there are no signs of life', programs, async (t) => {
  const name = `@moat-test-${process.pid}`;
  const socket = await opened(t, name);
  // Those of another process are not meant for this one.
  const broker = await started(t, 'abstract', { NOTIFY_SOCKET: name, WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' });
  await socket.until('READY=1');
  await broker.stop();
  assert.ok(!(await socket.until('STOPPING=1')).includes('WATCHDOG=1'));
});

test('without systemd-notify the log says so, once, and the broker serves', async (t) => {
  const bin = join(home, 'bin');
  await mkdir(bin);
  await symlink(process.execPath, join(bin, 'node'));
  const env = { NOTIFY_SOCKET: join(home, 'nobody'), WATCHDOG_USEC: '100000', PATH: bin };
  const broker = await started(t, 'missing', env);
  const { level, reason } = await broker.logged('cannot tell the service manager how the broker is');
  assert.deepEqual([level, reason], ['warn', 'there is no systemd-notify']);
  await waitFor(async () => (await childrenOf(broker)).length === 0, { timeout: patience });
  assert.equal(await broker.stop(), 0);
  assert.equal(broker.log.filter(({ msg }) => msg.startsWith('cannot tell')).length, 1);
});

test('where nobody asks, nothing is started', async (t) => {
  const broker = await started(t, 'alone', { NOTIFY_SOCKET: undefined });
  assert.deepEqual(await childrenOf(broker), []);
});
