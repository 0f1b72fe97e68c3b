import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs, run } from '@moat/testkit';
import { findJemalloc } from '../../dist/harden/find-jemalloc.js';
import { systemd } from '../../dist/harden/systemd.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { patience, unhurried } from '../helpers/patience.js';
import { installationIn } from './installation.js';

const home = await temporaryDirectory();
/** This checkout may lie where the unit sees nothing, in /tmp or in a home directory. */
const checkout = fileURLToPath(new URL('../../../..', import.meta.url));
const script = fileURLToPath(new URL('../../test/harden/manager.sh', import.meta.url));

const programs = [
  'lib:libjemalloc.so.2',
  'root',
  'systemctl',
  'systemd-notify',
  'unshare',
  'nsenter',
  'ip',
  'mosquitto_pub',
];

test('systemd starts, reloads, revives and stops a broker in its sandbox', needs(...programs), async () => {
  // What lies in /tmp is hidden from the unit, and /srv is a directory that only this test sees.
  const installation = installationIn('/srv', 'listeners: [{ protocol: mqtt, port: 1883 }]');
  const [unit] = systemd.files({ ...installation, allocator: await findJemalloc() });
  const [unitFile, yaml] = [join(home, 'moat.service'), join(home, 'moat.yaml')];
  await writeFile(unitFile, (unit?.text ?? '').replaceAll(checkout, '/srv/checkout/'));
  await writeFile(yaml, `data_dir: ./moat-data\nlisteners: [{ protocol: mqtt, port: 1883 }]\n${unhurried}`);
  const alone = ['-m', '-p', '-n', '-f', '--kill-child', '--mount-proc'];
  const prepare = `mount -t tmpfs tmpfs /srv && mkdir /srv/moat-data /srv/checkout && cp "$2" /srv/moat.yaml &&
    mount --bind "$3" /srv/checkout && exec bash "$0" "$1"`;
  const { code, stdout, stderr } = await run(
    'unshare',
    [...alone, 'bash', '-c', prepare, script, unitFile, yaml, checkout],
    {
      timeout: patience,
    },
  );
  assert.equal(code, 0, stdout + stderr);
  const outcome = Object.fromEntries(
    stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split(/=(.*)/).slice(0, 2)])),
  );
  assert.deepEqual(outcome, {
    started: 'active running',
    status: '0 clients, listening: mqtt 1883',
    CapBnd: '0000000000000000',
    NoNewPrivs: '1',
    Seccomp: '2',
    writes: 'no',
    allocator: 'libjemalloc',
    login: 'Connection error: Connection Refused: not authorised.',
    reloaded: 'same',
    revived: 'active',
    stopped: 'inactive success',
  });
});
