import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('lmdb-full-disk.js', import.meta.url));

describe('An LMDB store on a disk that is full', () => {
  it('says so to whoever waits, and takes up where it was when there is room again', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'moat-full-'));
    try {
      // A process that ignores SIGXFSZ gets an error from a write beyond the limit of its files.
      const command = ['trap "" XFSZ; exec "$0" "$@"', process.execPath, program, directory];
      const child = spawn('/bin/sh', ['-c', ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
      const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      assert.equal(code, 0, errors);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
