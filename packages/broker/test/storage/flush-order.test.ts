import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs, temporaryDirectory, withDeadline } from '@moat/testkit';
import { connected, readPacket } from '../support/broker.js';
import { leave, puback, pubcomp, pubrec, pubrel, stored, subscriber } from '../support/clients.js';
import { publish } from '../support/packets.js';

const program = fileURLToPath(new URL('traced-broker.js', import.meta.url));
const calls = 'fsync,fdatasync,msync,pwrite64,write,writev';
const startUp = 30_000;

/** Whether processes may be traced here: in some containers they may not. */
function mayTrace(): { readonly skip: string | false } {
  const { skip } = needs('strace');
  if (skip !== false) return { skip };
  const { status } = spawnSync('strace', ['-o', '/dev/null', 'true']);
  return { skip: status !== 0 && 'needs the right to trace processes' };
}

/** A broker whose system calls are written down; `ended` gives them, in the order of their completion. */
async function tracedBroker(t: TestContext): Promise<{ port: number; ended: () => Promise<string[]> }> {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'trace');
  const args = ['-f', '-y', '--seccomp-bpf', '-s', '65536', '-e', `trace=${calls}`, '-e', 'signal=none', '-o', file];
  // In a group of its own, so that the broker ends with strace.
  const strace = spawn('strace', [...args, process.execPath, program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const end = async (): Promise<void> => {
    if (strace.pid === undefined || strace.exitCode !== null || strace.signalCode !== null) return;
    process.kill(-strace.pid, 'SIGKILL');
    await once(strace, 'exit');
  };
  t.after(end);
  const [line] = await withDeadline(once(createInterface(strace.stdout), 'line'), () => 'the broker to start', startUp);
  const ended = async (): Promise<string[]> => {
    await end();
    return withoutJournal((await readFile(file, 'utf8')).split('\n'));
  };
  return { port: Number(line), ended };
}

/** Without what concerns the audit journal, a file of its own for which nobody waits. */
function withoutJournal(trace: readonly string[]): string[] {
  const under = new Set<string>();
  return trace.filter((line) => {
    const [thread = ''] = line.split(' ');
    if (line.includes('/audit/audit-')) {
      if (line.endsWith('<unfinished ...>')) under.add(thread);
      return false;
    }
    return !(line.includes(' resumed>') && under.delete(thread));
  });
}

/** The first call from `from` on that looks so. */
function find(trace: readonly string[], from: number, pattern: RegExp): number {
  const index = trace.findIndex((line, at) => at >= from && pattern.test(line));
  assert.ok(index >= 0, `no ${pattern} in\n${trace.slice(from).join('\n').slice(0, 2_000)}`);
  return index;
}

const flushed = /fdatasync.* = 0$/;
/** LMDB's page that makes a transaction valid goes through a file that is opened for synchronous writes. */
const made = /pwrite64.* = \d+$/;

test('an acknowledgement leaves behind the flush of its message, and nothing else touches the disk', {
  ...mayTrace(),
  timeout: 60_000,
}, async (t) => {
  const { port, ended } = await tracedBroker(t);
  await leave(await subscriber(port, 4, { 'kept/#': 2 }, stored(4, 'keeper')));
  const publisher = await connected(port, 4, stored(4, 'publisher'));
  publisher.send(publish(4, 'kept/1', 'first of all', { qos: 1, packetId: 0x101 }));
  assert.equal(await readPacket(publisher), puback(0x101));
  publisher.send(publish(4, 'kept/2', 'second to none', { qos: 2, packetId: 0x202 }));
  assert.equal(await readPacket(publisher), pubrec(0x202));
  publisher.send(pubrel(0x202));
  assert.equal(await readPacket(publisher), pubcomp(0x202));

  const live = await subscriber(port, 4, { 'live/#': 1 });
  publisher.send(publish(4, 'live/0', 'of no account'));
  publisher.send(publish(4, 'live/1', 'of little account', { qos: 1, packetId: 0x303 }));
  assert.equal(await readPacket(live), publish(4, 'live/0', 'of no account'));
  await readPacket(live);
  assert.equal(await readPacket(publisher), puback(0x303));
  const trace = await ended();

  let at = 0;
  for (const [data, answer] of [
    [/(writev|pwrite64)\(.*first of all/, /write\(\d+<.*>, "@\\2\\1\\1"/],
    [/(writev|pwrite64)\(.*second to none/, /write\(\d+<.*>, "P\\2\\2\\2"/],
    [/(writev|pwrite64)\(/, /write\(\d+<.*>, "p\\2\\2\\2"/], // PUBCOMP: the message went to its queue, the identifier is free
  ] as const) {
    at = find(trace, at, data);
    at = find(trace, at + 1, flushed);
    at = find(trace, at + 1, made);
    const sent = find(trace, 0, answer);
    assert.ok(sent > at, `sent at ${sent}, and made durable at ${at}`);
    at = sent;
  }
  const after = trace.slice(at + 1).filter((line) => /sync|pwrite/.test(line));
  assert.deepEqual(after, []);
});
