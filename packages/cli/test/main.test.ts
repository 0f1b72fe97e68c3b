import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { moat } from './helpers/moat.js';

const commands = [
  ...['start', 'init', 'check', 'passwd', 'device', 'device add', 'device list', 'pub', 'sub', 'status'],
  ...['config', 'config schema', 'bench', 'completion'],
];

test('moat --help lists every command with an example', async () => {
  const { code, stdout, stderr } = await moat(['--help']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  for (const name of commands.filter((one) => !one.includes(' ')))
    assert.match(stdout, new RegExp(`^  ${name}  `, 'm'));
  assert.match(stdout, /Examples:\n {2}\$ moat /);
});

describe('the help of every command', { concurrency: 4 }, () => {
  for (const name of commands) {
    test(`moat ${name} --help has an example`, async () => {
      const { code, stdout } = await moat([...name.split(' '), '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`Usage: moat ${name}`));
      assert.match(stdout, new RegExp(`Examples:\n {2}\\$ .*moat ${name.split(' ')[0]}`));
    });
  }
});

test('moat help COMMAND is moat COMMAND --help', async () => {
  assert.deepEqual(await moat(['help', 'pub']), await moat(['pub', '--help']));
});

test('moat --version prints the version', async () => {
  assert.match((await moat(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

const wrong = [
  [],
  ['nonsense'],
  ['--nonsense'],
  ['device'],
  ['device', 'nonsense'],
  ['start', '--port', '70000'],
  ['start', '--port', 'x'],
  ['start', 'surplus'],
  ['start', '-c', 'a', '--data-dir', 'b'],
  ['passwd', 'file'],
  ['passwd', 'file', 'user', '-D', '-b', 'x'],
  ['completion', 'tcsh'],
  ['pub', '-m', 'x'],
  ['pub', '-t', 'x'],
  ['pub', '-t', 'x', '-m', 'x', '-n'],
  ['pub', '-t', 'x', '-m', 'x', '-q', '3'],
  ['pub', '-t', 'x', '-m', 'x', '-V', '4'],
  ['pub', '-t', 'x', '-m', 'x', '--url', 'http://localhost'],
  ['pub', '-t', 'x', '-m', 'x', '--url', 'mqtt://localhost', '--will-payload', 'x'],
  ['pub', '-t', 'x', '-m', 'x', '-D', 'nonsense', 'a', 'b'],
  ['pub', '-t', 'x', '-m', 'x', '-D', 'publish', 'toString', 'b'],
  ['pub', '-t', 'x', '-m', 'x', '-D', 'publish', 'content-type'],
  ['pub', '-t', 'x', '-m', 'x', '-D', 'connect', 'receive-maximum', '0'],
  ['pub', '-t', 'x', '-m', 'x', '--cafile', '/does/not/exist', '-h', 'localhost'],
  ['pub', '-t', 'x', '-m', 'x', '--connection', '/does/not/exist'],
  ['sub'],
  ['sub', '-t', 'x', '-C', '0'],
  ['sub', '-t', 'x', '--format', 'xml'],
  ['sub', '-t', 'x', '--url', 'mqtt://localhost', '--disable-clean-session'],
  ['sub', '-t', 'x', '--url', 'mqtt://localhost', '-x', '60'],
  ['sub', '-t', 'x', '--url', 'mqtt://localhost', '-i', 'me', '-x', '60', '-V', '3.1.1'],
  ['sub', '-t', 'x', '--url', 'mqtt://localhost', '-V', '3.1', '-D', 'subscribe', 'subscription-identifier', '1'],
  ['bench', '--publishers', '2', '--subscribers', '3', '--url', 'mqtt://localhost'],
  ['bench', '--url', 'mqtt://192.0.2.1'],
  ['bench', '--url', 'ws://localhost'],
  ['bench', '--url', 'mqtt://localhost', '--cafile', '/etc/passwd'],
  ['bench', '--connection', '/does/not/exist'],
  ['bench', '--url', 'mqtts://localhost', '--key', '/etc/passwd'],
  ['bench', '--url', 'mqtts://localhost', '--auth', 'scram-sha-256'],
  ['status', '-c', '/does/not/exist'],
  ['audit', 'list', '--denied', '-n', '3'],
  ['audit', 'verify', '--head', 'abc'],
  ['device', 'renew', 'pump-7', '--new-key'],
  ['device', 'renew', 'pump-7', '--over-mqtt', '--days', '30'],
  ['passwd', 'file', '--import', '/does/not/exist'],
  ['pki', 'import', '--chain', 'a', '--key', 'b', '--crl', 'c', '--without-crl'],
  ['pki', 'ocsp', '--bind', 'x'],
  ['policy', 'explain', '--policy', 'p', '-a', 'connect', '-t', 'x'],
  ['policy', 'explain', '--policy', 'p', '-a', 'publish', '-t', 'x', '--at', '25:00'],
];

describe('wrong usage', { concurrency: 4 }, () => {
  for (const args of wrong) {
    test(`moat ${args.join(' ')} exits with 2`, async () => {
      const { code, stdout, stderr } = await moat(args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.doesNotMatch(stderr, /^\s+at /m);
      // Where a command is missing the help is shown, else one line.
      if (!stderr.startsWith('Usage:')) assert.match(stderr, /^[^\n]+\n$/);
    });
  }
});

test('MOAT_DEBUG=1 adds the stack to an error', async () => {
  const { code, stderr } = await moat(['pub', '-t', 'x', '-n', '-m', 'x'], { env: { MOAT_DEBUG: '1' } });
  assert.equal(code, 2);
  assert.match(stderr, /^ {4}at /m);
});

test('nothing of a broker or a client is loaded before a command needs it', async () => {
  const { stderr } = await moat(['--help'], { env: { NODE_DEBUG: 'esm,module', NODE_OPTIONS: '' } });
  for (const name of await readdir(new URL('../../', import.meta.url))) {
    if (name !== 'cli') assert.ok(!stderr.includes(`packages/${name}/`), `packages/${name} is loaded by --help`);
  }
  for (const heavy of ['node_modules/mqtt/', 'node_modules/zod/', 'node_modules/yaml/', 'node_modules/pino/']) {
    assert.ok(!stderr.includes(heavy), `${heavy} is loaded by --help`);
  }
});
