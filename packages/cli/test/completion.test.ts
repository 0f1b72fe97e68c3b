import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const run = promisify(execFile);
const script = join(await temporaryDirectory(), 'moat.bash');
await writeFile(script, (await moat(['completion', 'bash'])).stdout);

/** What bash offers after these words, the last of which is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const array = words.map((word) => `'${word}'`).join(' ');
  const program = `source '${script}'; COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _moat; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return (await run('bash', ['-c', program])).stdout.split('\n').filter((line) => line !== '');
}

test('bash accepts its script', async () => {
  await run('bash', ['-n', script]);
});

test('bash completes commands, commands of commands, options and their values', async () => {
  assert.deepEqual(await offered('moat', 'st'), ['start', 'status', 'store']);
  assert.deepEqual(await offered('moat', 'device', ''), [
    ...['add', 'renew', 'revoke', 'list', 'show', 'sign'],
    ...['invite', 'enroll', 'invites', 'withdraw', '--help'],
  ]);
  assert.deepEqual(await offered('moat', 'device', 'add', '--d'), ['--data-dir', '--days']);
  assert.deepEqual(await offered('moat', 'sub', '--format', ''), ['text', 'json', 'raw']);
  assert.deepEqual(await offered('moat', 'sub', '-v', '--disable'), ['--disable-clean-session']);
});

test('bash leaves the value of an option that takes a file to file completion', async () => {
  assert.deepEqual(await offered('moat', 'pub', '--cafile', ''), []);
});

for (const shell of ['zsh', 'fish']) {
  test(`the script for ${shell} names every command and describes options`, async () => {
    const { code, stdout } = await moat(['completion', shell]);
    assert.equal(code, 0);
    for (const word of ['start', 'bench', 'schema', 'will-topic']) assert.ok(stdout.includes(word), word);
    assert.ok(stdout.includes('publish messages'));
  });
}
