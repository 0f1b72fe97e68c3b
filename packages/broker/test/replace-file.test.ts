import assert from 'node:assert/strict';
import { chown, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '@moat/testkit';
import { LogTail } from '../dist/connection/log-tail.js';
import { replaceFile } from '../dist/replace-file.js';
import { limitFiles } from './audit/limit-files.js';
import { silent } from './support/broker.js';

/** Runs an action while no file of this process may have a byte, as on a disk that is full; Node.js ignores SIGXFSZ. */
async function withoutRoom(action: () => Promise<void>): Promise<void> {
  limitFiles(0);
  try {
    await action();
  } finally {
    limitFiles('unlimited');
  }
}

describe('Replacing a file', () => {
  it('makes it for its owner only, and leaves it with whom it belonged to', async (t) => {
    const file = join(await temporaryDirectory(t), 'file');
    await replaceFile(file, 'one');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const mayGive = process.getuid?.() === 0;
    if (mayGive) await chown(file, 65_534, 65_534);
    await replaceFile(file, 'two');
    assert.equal(await readFile(file, 'utf8'), 'two');
    assert.equal((await stat(file)).uid, mayGive ? 65_534 : process.getuid?.());
  });

  it('leaves it as it was, and nothing beside it, when there is no room', async (t) => {
    const directory = await temporaryDirectory(t);
    const file = join(directory, 'file');
    await replaceFile(file, 'old');
    await withoutRoom(() => assert.rejects(replaceFile(file, 'new'), { code: 'EFBIG' }));
    assert.equal(await readFile(file, 'utf8'), 'old');
    assert.deepEqual(await readdir(directory), ['file']);
  });
});

describe('How much of a log of the authority is in the audit', () => {
  it('is remembered when its place cannot be written, so that a cut is still seen', async (t) => {
    const position = join(await temporaryDirectory(t), 'position');
    await writeFile(position, '3\n');
    let records = 4;
    const seen: unknown[] = [];
    const begin = async (): Promise<LogTail> => {
      const count = async () => records;
      const tell = async (from: number, to: number) => void seen.push({ from, to });
      const cut = (has: number, had: number) => void seen.push({ has, had });
      const warn = (_: object, message?: string) => void seen.push(message);
      const tail = new LogTail({ name: 'log', position, count, tell, cut }, { ...silent, warn });
      await tail.start();
      return tail;
    };
    const first = await begin();
    await withoutRoom(() => first.look());
    records = 2;
    const second = await begin();
    await second.look();
    assert.deepEqual(seen, ['cannot note how much of the log is in the audit', { from: 3, to: 4 }, { has: 2, had: 3 }]);
  });
});
