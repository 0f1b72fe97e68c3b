import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryDirectory } from './helpers/directory.js';
import { command, moat } from './helpers/moat.js';

const directory = await temporaryDirectory();

test('a password is read from standard input and kept as a hash, readable by its owner only', async () => {
  const file = join(directory, 'piped');
  assert.deepEqual(await moat(['passwd', file, 'alice'], { input: 'wonderland\nsecond line\n' }), {
    code: 0,
    stdout: '',
    stderr: '',
  });
  const text = await readFile(file, 'utf8');
  assert.match(text, /^alice:\$argon2id\$/);
  assert.ok(!text.includes('wonderland'));
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('verifiers for SCRAM stand behind the hash, unless they are not wanted', async () => {
  const file = join(directory, 'scram');
  await moat(['passwd', file, 'alice', '-b', 'one']);
  await moat(['passwd', file, 'bob', '-b', 'two', '--no-scram']);
  const [alice, bob] = (await readFile(file, 'utf8')).split('\n');
  assert.match(
    alice ?? '',
    /^alice:\$argon2id\$[^:]+:\$scram-sha-256\$i=600000\$[^:]+:\$scram-sha-512\$i=210000\$[^:]+$/,
  );
  assert.match(bob ?? '', /^bob:\$argon2id\$[^:]+$/);
});

test('users are added, changed and deleted one by one', async () => {
  const file = join(directory, 'users');
  await moat(['passwd', file, 'alice', '-b', 'one']);
  await moat(['passwd', file, 'bob', '-b', 'two']);
  const before = await readFile(file, 'utf8');
  await moat(['passwd', file, 'alice', '-b', 'three']);
  const [alice, bob] = (await readFile(file, 'utf8')).split('\n');
  assert.notEqual(alice, before.split('\n')[0]);
  assert.equal(bob, before.split('\n')[1]);
  assert.equal((await moat(['passwd', file, 'alice', '-D'])).code, 0);
  assert.match(await readFile(file, 'utf8'), /^bob:/);
});

test('to delete a user who is not there fails', async () => {
  const { code, stderr } = await moat(['passwd', join(directory, 'none'), 'nobody', '-D']);
  assert.equal(code, 1);
  assert.match(stderr, /no user nobody/);
});

test('an empty password and an impossible user name are refused', async () => {
  const file = join(directory, 'refused');
  for (const [user, input] of [
    ['alice', '\n'],
    ['a:b', 'secret\n'],
    ['', 'secret\n'],
  ] as const) {
    const { code, stderr } = await moat(['passwd', file, user], { input });
    assert.equal(code, 2, stderr);
  }
  assert.equal((await moat(['passwd', file, 'alice'])).code, 1, 'no password at all');
});

/** Runs `moat passwd` on a terminal on which these lines are typed. */
async function onTerminal(file: string, typed: string): Promise<{ code: number; stdout: string }> {
  // The answers come after the prompts: what is typed ahead of raw mode would be echoed by the terminal itself.
  const program = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:4] + [sys.argv[4]])
seen = b''
for answer in sys.argv[5].split(','):
    asked = seen.count(b': ')
    while seen.count(b': ') == asked:
        seen += os.read(terminal, 1024)
    os.write(terminal, answer.encode() + b'\\r')
try:
    while chunk := os.read(terminal, 1024):
        seen += chunk
except OSError:
    pass
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  const args = ['-c', program, command, 'passwd', file, 'alice', typed];
  try {
    return { code: 0, stdout: (await promisify(execFile)('python3', args)).stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, stdout };
  }
}

test('on a terminal the password is asked for twice and not shown', async () => {
  const file = join(directory, 'terminal');
  const { code, stdout } = await onTerminal(file, 'hidden,hidden');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /New password of alice: \r\nOnce more: \r\n/);
  assert.ok(!stdout.includes('hidden'));
  assert.match(await readFile(file, 'utf8'), /^alice:\$argon2id\$/);
});

test('on a terminal two different passwords are refused', async () => {
  const { code, stdout } = await onTerminal(join(directory, 'different'), 'one,two');
  assert.equal(code, 1);
  assert.match(stdout, /the two passwords differ/);
});
