import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newDirectory } from './new-directory.js';

/** Runs a program that ignores SIGXFSZ, and so gets an error from a write beyond the limit of its files. */
async function succeeds(name: string, argument: string): Promise<void> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const command = ['trap "" XFSZ; exec "$0" "$@"', process.execPath, program, argument];
  const child = spawn('/bin/sh', ['-c', ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  assert.equal(code, 0, errors);
}

describe('An audit journal on a disk that is full', () => {
  it('says so, keeps a bounded number, and goes on with its chain whole when there is room again', async () => {
    await succeeds('full-disk.js', await newDirectory());
  });

  it('keeps nobody out', () => succeeds('full-disk-broker.js', 'continue'));

  it('keeps everybody new out where the operator wants no doings that are not kept', () =>
    succeeds('full-disk-broker.js', 'refuse'));
});
