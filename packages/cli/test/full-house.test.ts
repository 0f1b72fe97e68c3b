import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { inTurns, RawClient, waitFor } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

/** File descriptors of the broker, and those of them that are not for clients. */
const descriptors = 256;
const reserved = 128;

test('the admin socket answers when clients have every file descriptor that they may', async (t) => {
  // This process hands its limit on to the broker, and has a few more clients than that lets in.
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${descriptors}:${descriptors}`]);
  const cwd = await temporaryDirectory();
  const broker = await RunningBroker.start(
    cwd,
    `listeners: [{ protocol: mqtt, port: 0 }]
limits: { connect_timeout: 60 }
guard: { allow: [127.0.0.0/8] }
log: { format: json }
`,
  );
  t.after(() => broker.stop());
  const port = await broker.port('mqtt');
  const most = descriptors - reserved;
  const clients = await inTurns(most + 20, 20, () => RawClient.connect(port));
  t.after(() => clients.map((client) => client.socket.destroy()));
  const guard = async (): Promise<{ connections: number; connectionsAllowed: number; evicted: object }> => {
    const { code, stdout, stderr } = await moat(['status', '--json'], { cwd });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).guard;
  };
  await waitFor(() => clients.filter(({ socket }) => socket.destroyed || socket.readableEnded).length >= 20);
  const { connections, connectionsAllowed, evicted } = await guard();
  assert.deepEqual([connections, connectionsAllowed], [most, most]);
  assert.deepEqual(evicted, { unfinished: 20, anonymous: 0 });
});
