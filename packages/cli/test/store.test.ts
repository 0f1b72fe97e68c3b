import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Client, connect } from '@moat/client';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const root = await temporaryDirectory();

const configuration = `sys_interval: 0
listeners: [{ protocol: mqtt, port: 0 }]
authentication: { allow_anonymous: true }
authorization: { default: allow }
`;

function client(port: number, clientId: string): Promise<Client> {
  const properties = { sessionExpiryInterval: 600 };
  return connect({
    protocol: 'mqtt',
    host: '127.0.0.1',
    port,
    clientId,
    cleanStart: false,
    properties,
    reconnect: false,
  });
}

/** The retained messages that a broker started on the data directory has. */
async function retainedIn(cwd: string): Promise<number> {
  const broker = await RunningBroker.start(cwd, configuration);
  const { stdout } = await moat(['status', '--json'], { cwd });
  await broker.stop();
  return (JSON.parse(stdout) as { retained: { messages: number } }).retained.messages;
}

describe('moat store and moat backup', () => {
  const cwd = join(root, 'live');
  let broker: RunningBroker;
  let publisher: Client;
  let published = 0;
  before(async () => {
    await mkdir(cwd);
    broker = await RunningBroker.start(cwd, configuration);
    publisher = await client(await broker.port('mqtt'), 'publisher');
    await publish(300);
  });
  after(() => broker.stop());

  async function publish(count: number): Promise<void> {
    const sent = Array.from({ length: count }, () =>
      publisher.publish(`r/${published++}`, 'x'.repeat(500), { qos: 1, retain: true }),
    );
    await Promise.all(sent);
  }

  test('a running broker is backed up with all that it acknowledged before, and starts again on it', async () => {
    const before = published;
    const going = publish(200);
    const { code, stdout, stderr } = await moat(['backup', join(root, 'backup', 'moat-data')], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\d.* in .*\. To start a broker on it: moat start --data-dir /);
    await going;
    const copy = join(root, 'backup');
    assert.equal((await stat(join(copy, 'moat-data'))).mode & 0o777, 0o700);
    for (const secret of ['passwords', 'pki/ca.key', 'store/data.mdb'])
      assert.equal((await stat(join(copy, 'moat-data', secret))).mode & 0o777, 0o600, secret);
    assert.equal((await readdir(join(copy, 'moat-data'))).includes('admin.sock'), false);
    assert.ok((await retainedIn(copy)) >= before);
  });

  test('a backup goes into no directory that has something in it, nor into the data directory', async () => {
    const full = await moat(['backup', root], { cwd });
    assert.deepEqual([full.code, full.stderr], [1, `moat: ${root} is not empty (name a directory that is)\n`]);
    const within = await moat(['backup', 'moat-data/backup'], { cwd });
    assert.deepEqual([within.code, within.stderr], [1, 'moat: moat-data/backup lies within the data directory\n']);
    const nowhere = await moat(['backup', join(root, 'x'), '--data-dir', join(root, 'y')]);
    assert.match(nowhere.stderr, /^moat: there is no data directory \S+y \(name it: --data-dir\)\n$/);
    await writeFile(join(root, 'file'), '');
    const onFile = await moat(['backup', join(root, 'file')], { cwd });
    assert.equal(onFile.code, 1);
    assert.match(onFile.stderr, /^moat: cannot write to \S+file: /);
  });

  test('the store of a running broker is measured and compacted, and not checked or repaired', async () => {
    const stats = await moat(['store', 'stats'], { cwd });
    assert.match(stats.stdout, /^file +\S+data\.mdb\nsize +\d.*\nfree +\d.* \(\d+ %.*\)\nrows +\d+\nformat +2\n$/);
    const compacted = await moat(['store', 'compact'], { cwd });
    assert.match(compacted.stdout, /^\d.* became \d/);
    await publish(10);
    for (const args of [['check'], ['repair', 'x']]) {
      const { code, stderr } = await moat(['store', ...args], { cwd });
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^moat: the broker that runs on this data directory has the store open \(stop it first\)\n$/,
      );
    }
  });

  test('the store of a stopped broker is checked; a damaged one is repaired, and what is saved is served', async () => {
    await broker.stop();
    const stats = JSON.parse((await moat(['store', 'stats', '--json'], { cwd })).stdout);
    assert.equal(stats.bytes, (await stat(join(cwd, 'moat-data/store/data.mdb'))).size);
    const kept = join(root, 'stopped');
    const stopped = await moat(['backup', join(kept, 'moat-data'), '--json'], { cwd });
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.equal(JSON.parse(stopped.stdout).directory, join(kept, 'moat-data'));
    assert.equal(await retainedIn(kept), published);
    const copy = join(root, 'damaged');
    await cp(cwd, copy, { recursive: true });
    const sound = await moat(['store', 'check', '--json'], { cwd: copy });
    assert.equal(sound.code, 0, sound.stderr);
    const { counts, faults } = JSON.parse(sound.stdout);
    assert.deepEqual([counts.retained, faults], [published, []]);
    assert.match((await moat(['store', 'check'], { cwd: copy })).stdout, /Nothing is wrong with it\.\n$/);
    const { before, after } = JSON.parse((await moat(['store', 'compact', '--json'], { cwd: copy })).stdout);
    assert.ok(after > 0 && after <= before);

    const path = join(copy, 'moat-data/store/data.mdb');
    const bytes = await readFile(path);
    const pages = Array.from({ length: bytes.length / 4_096 }, (_, page) => page);
    const isLeaf = (page: number) =>
      bytes.readUIntLE(page * 4_096, 6) === page && bytes.readUInt16LE(page * 4_096 + 18) === 2;
    const leaf = pages.filter(isLeaf).at(-3) ?? 0;
    await writeFile(path, bytes.fill(0, leaf * 4_096, (leaf + 1) * 4_096));
    const damaged = await moat(['store', 'check'], { cwd: copy });
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, new RegExp(`\nWrong:\n  a leaf on page ${leaf} cannot be read\n`));
    const repaired = await moat(['store', 'repair', 'salvaged/moat-data/store'], { cwd: copy });
    assert.equal(repaired.code, 1, repaired.stderr);
    assert.match(
      repaired.stdout,
      new RegExp(`\nLost:\n  a leaf on page ${leaf}, between the retained message of "[^"]+" and the retained`),
    );
    const saved = Number(/retained +(\d+)/.exec(repaired.stdout)?.[1]);
    assert.ok(saved > published - 20 && saved < published);
    assert.equal(await retainedIn(join(copy, 'salvaged')), saved);
    const refused = await moat(['backup', join(root, 'of-damaged')], { cwd: copy });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^moat: .*moat store check/);
  });

  test('where there is no store the commands say so', async () => {
    const { code, stderr } = await moat(['store', 'check', '--data-dir', join(root, 'none')]);
    assert.equal(code, 1);
    assert.match(stderr, /^moat: there is no store in \S+none\/store \(it begins with the first start; /);
  });
});
