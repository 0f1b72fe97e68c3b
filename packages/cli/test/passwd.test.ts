import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
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

test('--stdin reads the password without a question, and one that would be guessed soon is said to be so', async () => {
  const file = join(directory, 'stdin');
  const { code, stdout, stderr } = await moat(['passwd', file, 'alice', '--stdin'], { input: 'sesame\n' });
  assert.deepEqual([code, stdout], [0, '']);
  assert.equal(stderr, 'moat: the password is set, but it has less than 8 characters, and would be guessed soon\n');
});

for (const args of [[], ['alice', '--stdin', '-b', 'x'], ['alice', '--list'], ['alice', '--json']])
  test(`moat passwd FILE ${args.join(' ')} is a mistake`, async () => {
    assert.equal((await moat(['passwd', join(directory, 'never'), ...args], { input: 'x\n' })).code, 2);
  });

test('--import sets the passwords of many, keeps the others, and --list shows them all', async () => {
  const file = join(directory, 'imported');
  await moat(['passwd', file, 'zoe', '-b', 'stays as it is']);
  const before = await readFile(file, 'utf8');
  const list = '# from the old system\nalice:with:colons:in it\r\nbob:short\ncarol:long enough\n';
  const { code, stdout, stderr } = await moat(['passwd', file, '--import', '-', '--no-scram'], { input: list });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `3 passwords set in ${file}\n`);
  assert.equal(stderr, 'moat: 1 of them would be guessed soon: bob\n');
  assert.ok((await readFile(file, 'utf8')).startsWith(before));
  const listed = await moat(['passwd', file, '--list', '--json']);
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];
  assert.deepEqual(JSON.parse(listed.stdout), [
    { username: 'zoe', scheme: 'argon2id', mechanisms: scram },
    ...['alice', 'bob', 'carol'].map((username) => ({ username, scheme: 'argon2id', mechanisms: [] })),
  ]);
  assert.match(
    (await moat(['passwd', file, '--list'])).stdout,
    /zoe +argon2id +SHA-256, SHA-512\nalice +argon2id +none\n/,
  );
});

test('a list with a mistake changes nothing, and its place is told', async () => {
  const file = join(directory, 'untouched');
  await writeFile(file, '# nobody yet\n');
  const { code, stderr } = await moat(['passwd', file, '--import', '-'], { input: 'alice:one two three\nbob\n' });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /^standard input:2:1: no colon/);
  assert.equal(await readFile(file, 'utf8'), '# nobody yet\n');
});
