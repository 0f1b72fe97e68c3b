import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Target } from '../../dist/load/index.js';

const program = '/usr/sbin/mosquitto';

/** For the `skip` of a test that needs Mosquitto. */
export const noMosquitto: string | false = existsSync(program) ? false : 'mosquitto is not installed';

/** A Mosquitto for one test; `acl` lists what clients may do, without it everything. */
export async function startMosquitto(t: TestContext, acl?: string): Promise<{ target: Target; process: ChildProcess }> {
  const directory = mkdtempSync(join(tmpdir(), 'moat-load-'));
  const target = { host: '127.0.0.1', port: await freePort() };
  const lines = [`user ${process.getuid?.() === 0 ? 'root' : 'mosquitto'}`, 'allow_anonymous true', 'log_type none'];
  lines.push('max_queued_messages 0', `listener ${target.port} ${target.host}`);
  if (acl !== undefined) {
    const file = join(directory, 'acl');
    writeFileSync(file, acl, { mode: 0o600 });
    lines.push(`acl_file ${file}`);
  }
  const configuration = join(directory, 'mosquitto.conf');
  writeFileSync(configuration, `${lines.join('\n')}\n`);

  const broker = spawn(program, ['-c', configuration], { stdio: 'ignore' });
  t.after(async () => {
    if (broker.exitCode === null && broker.signalCode === null) {
      broker.kill();
      await once(broker, 'exit');
    }
    rmSync(directory, { recursive: true });
  });
  while (!(await accepts(target))) {
    if (broker.exitCode !== null) throw new Error(`mosquitto ended with code ${broker.exitCode}`);
    await wait(10);
  }
  return { target, process: broker };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function accepts({ host, port }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
