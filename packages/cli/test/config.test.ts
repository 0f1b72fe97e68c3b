import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const cwd = await temporaryDirectory();
const show = (...args: string[]) => moat(['config', 'show', ...args], { cwd });

test('without a file every limit is that of the profile', async () => {
  const { code, stdout } = await show();
  assert.deepEqual([code, stdout], [0, 'every limit is that of the profile: moat config show --effective\n']);
  assert.equal((await show('--json')).stdout, '[]\n');
});

test('what the file sets is shown with its place, and with --effective all else, too', async () => {
  await writeFile(
    join(cwd, 'moat.yaml'),
    `limits: { profile: off, max_packet_size: 5000 }
listeners: [{ protocol: mqtt, port: 0, limits: { max_keepalive: 60 } }]
`,
  );
  const set = [
    { key: 'limits.max_packet_size', value: 5000, unit: 'bytes', from: 'moat.yaml:1:42' },
    { key: 'listeners[0].limits.max_keepalive', value: 60, unit: 'seconds', from: 'moat.yaml:2:65' },
  ];
  assert.deepEqual(JSON.parse((await show('--json')).stdout), set);
  const { stdout } = await show();
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [['LIMIT', 'VALUE', 'UNIT', 'FROM'], ...set.map((row) => Object.values(row).map(String)), ['']],
  );
  const all = JSON.parse((await show('--effective', '--json')).stdout);
  assert.ok(all.length > 50);
  for (const one of set) assert.ok(all.some(({ key, value }: typeof one) => key === one.key && value === one.value));
  const table = (await show('--effective', '-c', 'moat.yaml')).stdout;
  assert.match(table, /^limits\.max_wills +none +wills +profile off \(moat\.yaml:1:20\)$/m);
});
