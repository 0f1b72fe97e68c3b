import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, run } from '@moat/testkit';
import { logrotate } from '../../dist/harden/logrotate.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { installationIn } from './installation.js';
import { LoggingBroker } from './logging-broker.js';

const home = await temporaryDirectory();

test('a log is rotated while the broker writes it, and goes on at its beginning', needs('logrotate'), async (t) => {
  const broker = await LoggingBroker.start(home, 'listeners: [{ protocol: mqtt, port: 0 }]\nsys_interval: 0\n');
  t.after(() => broker.stop());
  const file = join(home, 'logrotate.conf');
  await writeFile(file, logrotate.files(installationIn(home))[0]?.text ?? '', { mode: 0o644 });
  const rotated = await run('logrotate', ['-f', '-s', join(home, 'state'), file]);
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match(await readFile(`${broker.file}.1`, 'utf8'), /"msg":"ready"/);
  assert.equal((await stat(broker.file)).size, 0);
  broker.signal('SIGHUP');
  await broker.logged('config.reloaded');
  // Not behind a hole as long as what was cut.
  const text = await readFile(broker.file, 'utf8');
  assert.ok(text.startsWith('{"level":"info"') && !text.includes('\0') && !text.includes('"msg":"ready"'), text);
});

test('the journal needs none', () => {
  assert.deepEqual(logrotate.files({ ...installationIn(home), logFile: undefined }), []);
});
