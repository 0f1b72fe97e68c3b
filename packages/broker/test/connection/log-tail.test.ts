import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryDirectory, withoutRoom } from '@moat/testkit';
import { LogTail } from '../../dist/connection/log-tail.js';
import { silent } from '../support/broker.js';

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
