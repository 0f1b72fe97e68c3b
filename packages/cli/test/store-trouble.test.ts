import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { access, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '@moat/testkit';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { command, moat, type Result } from './helpers/moat.js';

const root = await temporaryDirectory();
const configuration = `listeners: [{ protocol: mqtt, port: 0 }]\n`;
const brokerPackage = fileURLToPath(new URL('../../broker', import.meta.url));

/** A data directory in which a broker has run once. */
async function used(name: string): Promise<{ cwd: string; data: string; store: string }> {
  const cwd = join(root, name);
  await mkdir(cwd);
  await (await RunningBroker.start(cwd, configuration)).stop();
  const data = join(cwd, 'moat-data');
  return { cwd, data, store: join(data, 'store') };
}

/** It ended with one line that matches, and left nothing half-started. */
async function refused({ code, stdout, stderr }: Result, data: string, message: RegExp): Promise<void> {
  assert.equal(code, 1, stderr);
  assert.match(stderr, message);
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  assert.equal(stdout, '');
  await assert.rejects(access(join(data, 'admin.sock')));
}

/** Does something to the values of a store, as another program with LMDB would. */
async function change(store: string, script: string): Promise<void> {
  const code = `import { open } from 'lmdb';
    const tree = open({ path: ${JSON.stringify(store)}, noSubdir: false, keyEncoding: 'binary' });
    ${script}
    await tree.close();`;
  const { code: exit, stderr } = await run(process.execPath, ['--input-type=module', '-e', code], {
    cwd: brokerPackage,
  });
  assert.equal(exit, 0, stderr);
}

test('a store that another broker has open', async () => {
  const cwd = join(root, 'in-use');
  await mkdir(cwd);
  const broker = await RunningBroker.start(cwd, configuration);
  const { code, stderr } = await moat(['start'], { cwd });
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(`^moat: the store .* is in use by process ${broker.process.pid} \\(stop that one or .*\\)\\n$`),
  );
  assert.equal((await moat(['status'], { cwd })).code, 0, 'the first goes on');
  assert.equal(await broker.stop(), 0);
});

test('a damaged store, which is left as it is', async () => {
  const { cwd, data, store } = await used('damaged');
  const file = join(store, 'data.mdb');
  await truncate(file, 9_000);
  const before = await readFile(file);
  await refused(await moat(['start'], { cwd }), data, /^moat: the store .*data\.mdb is damaged: .* \(.*\)\n$/);
  assert.deepEqual(await readFile(file), before);
});

test('a store of another program', async () => {
  const { cwd, data, store } = await used('foreign');
  await rm(store, { recursive: true });
  await change(store, `await tree.put(Buffer.from('k'), 'v');`);
  await refused(await moat(['start'], { cwd }), data, /^moat: the store .* is not one of this broker \(.*\)\n$/);
});

test('a store of a newer broker', async () => {
  const { cwd, data, store } = await used('newer');
  await change(
    store,
    `for (const { key, value } of tree.getRange())
      if (Array.isArray(value) && value[0] === 'moat') await tree.put(Buffer.from(key), ['moat', 99]);`,
  );
  await refused(
    await moat(['start'], { cwd }),
    data,
    /^moat: the store .* has format 99, and this broker knows formats up to \d+ \(.*\)\n$/,
  );
});

test('something else where the store is to be', async () => {
  const { cwd, data, store } = await used('no-directory');
  await rm(store, { recursive: true });
  await writeFile(store, '');
  await refused(await moat(['start'], { cwd }), data, /^moat: the store .* cannot be used: .* \(.*\)\n$/);
});

const mayMount = spawnSync('unshare', ['-m', 'true']).status === 0;

test('a directory that is read-only', { skip: !mayMount && 'needs the right to mount' }, async () => {
  const { cwd, data, store } = await used('read-only');
  const mounted = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"';
  const args = ['-m', 'sh', '-c', mounted, 'sh', store, process.execPath, command, 'start'];
  await refused(
    await run('unshare', args, { cwd }),
    data,
    /^moat: the store .* cannot be used: .*read-only.* \(.*\)\n$/i,
  );
});
