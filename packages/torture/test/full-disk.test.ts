import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, temporaryDirectory } from '@moat/testkit';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** A mount that is seen by the program alone, and goes with it. */
const mounted = 'mount -t tmpfs -o size=64m none "$1/data" && shift && exec "$@"';
const mayMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

test('a broker that is killed while its disk fills up and is freed again loses nothing that it acknowledged', {
  skip: !mayMount && 'needs the right to mount',
}, async (t) => {
  const directory = await temporaryDirectory(t);
  await mkdir(join(directory, 'data'));
  const torture = [process.execPath, program, '--cycles', '4', '--seed', '7', '--fill-disk', '--data-dir', directory];
  const args = ['-m', 'sh', '-c', mounted, 'sh', directory, ...torture];
  const { code, stdout } = await run('unshare', args, { timeout: 55_000 });
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^passed: 4 cycles with seed 7/m);
});
