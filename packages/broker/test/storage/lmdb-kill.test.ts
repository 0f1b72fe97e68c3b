import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { allSessions } from './records.js';

const writer = fileURLToPath(new URL('lmdb-writer.js', import.meta.url));

/** Kills a writer after it has acknowledged so many; returns the last it acknowledged. */
async function killedAfter(child: ChildProcess, acknowledgements: number): Promise<number> {
  assert.ok(child.stdout);
  let last = 0;
  let left = acknowledgements;
  for await (const line of createInterface(child.stdout)) {
    last = Math.max(last, Number(line));
    if (--left === 0) child.kill('SIGKILL');
  }
  assert.ok(left <= 0, 'the writer ended by itself');
  if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
  return last;
}

describe('A process that is killed while it writes to an LMDB store', () => {
  it('leaves all that it acknowledged, and nothing by halves', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'moat-kill-'));
    try {
      let first = 1;
      for (let cycle = 1; cycle <= 10; cycle++) {
        const child = spawn(process.execPath, [writer, directory, String(first)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const acknowledged = await killedAfter(child, 1 + ((cycle * 37) % 150));
        const store = await openLmdbStore(directory);
        const queues = [await store.readQueue('a', 0, 100), await store.readQueue('b', 0, 100)];
        const last = queues[0]?.at(-1)?.position ?? 0;
        assert.ok(last >= acknowledged, `${last} is there of ${acknowledged}`);
        const expected = [4, 3, 2, 1, 0].map((back) => last - back).filter((position) => position > 0);
        for (const queue of queues) {
          assert.deepEqual(
            queue.map(({ position }) => position),
            expected,
          );
          for (const { position, message } of queue)
            assert.ok(message.payload.every((byte) => byte === position % 256) && message.payload.length >= 100);
        }
        for (const { queue } of (await allSessions(store)).values()) {
          assert.equal(queue.count, expected.length);
          assert.equal(queue.lastPosition, last);
        }
        await store.close();
        first = last + 1;
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
