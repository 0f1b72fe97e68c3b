import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { allChecks } from '../dist/doctor/all-checks.js';
import { severities } from '../dist/doctor/check.js';
import type { Report } from '../dist/doctor/examine.js';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const cwd = await temporaryDirectory();
await moat(['init'], { cwd });

/** What depends on the machine that the tests run on. */
const ofTheMachine = allChecks
  .map(({ code }) => code)
  .filter((code) => /^(?:process|kernel|machine|disk)\./.test(code));
const acceptMachine = ofTheMachine.flatMap((code) => ['--accept', code]);

test('what moat init makes is well, on a machine that is', async () => {
  const { code, stdout } = await moat(['doctor', ...acceptMachine], { cwd });
  assert.match(stdout, /^score 100 of 100: nothing is weak, \d+ checks$/m);
  assert.equal(code, 0);
});

test('what is weak is told worst first, with why and how to mend it, and takes from the score', async () => {
  await chmod(join(cwd, 'moat-data'), 0o755);
  await chmod(join(cwd, 'moat-data/pki/ca.key'), 0o644);
  await chmod(join(cwd, 'moat-data/pki/server.key'), 0o644);
  const shown = await moat(['doctor', ...acceptMachine], { cwd });
  assert.equal(shown.code, 1);
  assert.equal(shown.stderr, '');
  assert.match(
    shown.stdout,
    /^critical {2}files\.key_readable: \S+ca\.key has mode 0644\n {10}\S.*\n {10}mend: chmod 600 /,
  );
  const { stdout, code } = await moat(['doctor', '--json', ...acceptMachine], { cwd });
  const { score, findings } = JSON.parse(stdout) as Report;
  assert.equal(code, 1);
  assert.deepEqual(
    findings.map(({ code, severity }) => `${severity} ${code}`),
    ['critical files.key_readable', 'critical files.key_readable', 'high files.data_dir_open'],
  );
  // Two keys are one weakness.
  assert.equal(score, 100 - severities.critical - severities.high);
});

test('a running broker is asked who it is', async () => {
  const broker = await RunningBroker.start(cwd);
  try {
    const { stdout } = await moat(['doctor', '--json'], { cwd });
    const { findings } = JSON.parse(stdout) as Report;
    const root = findings.find(({ code }) => code === 'process.root');
    if (process.getuid?.() === 0) assert.equal(root?.what, `the broker (pid ${broker.process.pid}) runs as root`);
    else assert.equal(root, undefined);
  } finally {
    await broker.stop();
  }
});

test('a code that does not exist, and a configuration with a mistake, are refused', async () => {
  const unknown = await moat(['doctor', '--accept', 'machine.ghosts'], { cwd });
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no check machine\.ghosts/);
  const missing = await moat(['doctor', '-c', 'none.yaml'], { cwd });
  assert.equal(missing.code, 2);
});
