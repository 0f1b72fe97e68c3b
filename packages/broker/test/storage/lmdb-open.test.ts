import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { OperatorError } from '../../dist/errors.js';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { inDirectory } from './in-directory.js';
import { allSessions, message, session } from './records.js';

const writer = fileURLToPath(new URL('lmdb-writer.js', import.meta.url));

async function refuses(directory: string, message: RegExp, code = 'data_dir.unusable'): Promise<void> {
  await assert.rejects(openLmdbStore(directory), (error) => {
    assert.ok(error instanceof OperatorError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.ok(error.message.includes(directory));
    assert.ok(error.hint);
    return true;
  });
}

/** A store with something in it; returns its data file. */
async function written(directory: string): Promise<string> {
  const store = await openLmdbStore(directory);
  store.putSession(session('a'));
  for (let each = 0; each < 300; each++)
    store.putRetained(message(`t/${each}`, { payload: Buffer.alloc(1_000, 7) }), 'user:anna');
  store.putRetained(message('t', { payload: Buffer.alloc(100_000, 7) }), 'user:anna');
  await store.close();
  return join(directory, 'data.mdb');
}

/** Writes a format as another broker would have. */
async function marked(directory: string, key: Uint8Array, value: unknown): Promise<void> {
  const tree = open<unknown, Uint8Array>({ path: directory, noSubdir: false, keyEncoding: 'binary' });
  await tree.put(key, value);
  await tree.close();
}

const formatKey = Buffer.from('m');

describe('Opening an LMDB store', () => {
  it('makes the directory where there is none', () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(join(directory, 'a', 'b'));
      await store.close();
    }));

  it('refuses a store of a newer format, naming both', () =>
    inDirectory(async (directory) => {
      await written(directory);
      await marked(directory, formatKey, ['moat', 3]);
      await refuses(directory, /has format 3, and this broker knows formats up to 2$/, 'store.newer');
    }));

  it('refuses a store of another program', () =>
    inDirectory(async (directory) => {
      await marked(directory, Buffer.from('x'), 1);
      await refuses(directory, /is not one of this broker$/, 'store.foreign');
      await marked(directory, formatKey, 'other');
      await refuses(directory, /is not one of this broker$/, 'store.foreign');
    }));

  it('refuses a store that this process or another has open, naming it', () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(directory);
      await refuses(directory, new RegExp(`is in use by process ${process.pid}$`), 'store.in_use');
      await store.close();
      const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        await once(child.stdout, 'data');
        await refuses(directory, new RegExp(`is in use by process ${child.pid}$`), 'store.in_use');
      } finally {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await (await openLmdbStore(directory)).close();
    }));

  it('refuses a path that is no directory, and a data file that is no file', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'file');
      await writeFile(file, '');
      await refuses(file, /cannot be used: /);
      await refuses(join(file, 'below'), /cannot be used: ENOTDIR/);
      await mkdir(join(directory, 'data.mdb'));
      await refuses(directory, /cannot be used: EISDIR/);
    }));

  const damages: Record<string, (file: string) => Promise<void>> = {
    'is empty': (file) => truncate(file, 0),
    'is cut off within its head': (file) => truncate(file, 6_000),
    'is cut off behind its head': (file) => truncate(file, 8_192),
    'is cut off in the middle': (file) => truncate(file, 100_000),
    'was overwritten': (file) => writeFile(file, Buffer.alloc(20_000, 0xa5)),
    'has lost its first page': async (file) => {
      const bytes = await readFile(file);
      await writeFile(file, bytes.fill(0, 0, 4_096));
    },
    'has lost its second page': async (file) => {
      const bytes = await readFile(file);
      await writeFile(file, bytes.fill(0, 4_096, 8_192));
    },
  };
  for (const [how, damage] of Object.entries(damages))
    it(`refuses a data file that ${how}, and leaves it as it is`, () =>
      inDirectory(async (directory) => {
        const file = await written(directory);
        await damage(file);
        const before = await readFile(file);
        await refuses(directory, /data\.mdb is damaged: /, 'store.damaged');
        assert.deepEqual(await readFile(file), before);
      }));
});

describe('An LMDB store that was closed', () => {
  it('reads and commits nothing more, and may be closed again', () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(directory);
      store.putSession(session('a'));
      await store.close();
      await store.close();
      await assert.rejects(store.readQueue('a', 0, 1), /closed/);
      store.putSession(session('b'));
      await assert.rejects(store.commit(), /closed/);
      const again = await openLmdbStore(directory);
      assert.deepEqual([...(await allSessions(again)).keys()], ['a']);
      await again.close();
    }));

  it('leaves files that are for its owner alone', () =>
    inDirectory(async (directory) => {
      await written(directory);
      for (const file of ['data.mdb', 'lock.mdb'])
        assert.equal((await stat(join(directory, file))).mode & 0o777, 0o600);
    }));
});
