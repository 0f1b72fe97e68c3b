import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '@moat/testkit';
import { appendRecords } from '../dist/journal.js';
import { JournalReader } from '../dist/journal-reader.js';
import { runModule } from './helpers/child.js';
import { pkiError } from './helpers/codes.js';

const journalModule = import.meta.resolve('../dist/journal.js');

function parse(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

function readRecords(path: string, as: (value: unknown) => object | undefined): Promise<readonly object[]> {
  return new JournalReader(path, as).read();
}

async function newJournal(t: TestContext, text = ''): Promise<string> {
  const path = join(await temporaryDirectory(t), 'journal.jsonl');
  await writeFile(path, text);
  return path;
}

test('records come back in the order in which they were appended', async (t) => {
  const path = await newJournal(t);
  await appendRecords(path, [{ n: 1 }, { n: 2 }]);
  await appendRecords(path, [{ n: 3 }]);
  assert.deepEqual(await readRecords(path, parse), [{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('processes that append at once lose no line and cut none', async (t) => {
  const path = await newJournal(t);
  const source = `
    const { appendRecords } = await import(process.argv[1]);
    const [, , path, writer] = process.argv;
    for (let n = 0; n < 100; n++) await appendRecords(path, [{ writer, n, pad: 'x'.repeat(n * 50) }]);`;
  await Promise.all(['a', 'b', 'c', 'd'].map((writer) => runModule(source, journalModule, path, writer)));
  const records = (await readRecords(path, parse)) as { writer: string; n: number; pad: string }[];
  for (const writer of ['a', 'b', 'c', 'd']) {
    const own = records.filter((record) => record.writer === writer);
    assert.deepEqual(
      own.map(({ n }) => n),
      Array.from({ length: 100 }, (_, n) => n),
    );
    assert.ok(own.every(({ n, pad }) => pad.length === n * 50));
  }
});

test('a last line cut anywhere by a crash counts for nothing, and what is appended next is whole', async (t) => {
  const line = '{"n":1,"name":"é"}\n';
  for (let cut = 0; cut < line.length; cut++) {
    const path = await newJournal(t, `{"n":0}\n${line.slice(0, cut)}`);
    assert.deepEqual(await readRecords(path, parse), [{ n: 0 }]);
    await appendRecords(path, [{ n: 2 }]);
    await appendRecords(path, [{ n: 3 }]);
    assert.deepEqual(await readRecords(path, parse), [{ n: 0 }, { n: 2 }, { n: 3 }], `cut at ${cut}`);
  }
});

test('a line cut within a character counts for nothing', async (t) => {
  const path = await newJournal(t, '{"n":0}\n');
  await appendFile(path, Buffer.from('{"name":"é').subarray(0, -1));
  await appendRecords(path, [{ n: 1 }]);
  assert.deepEqual(await readRecords(path, parse), [{ n: 0 }, { n: 1 }]);
});

test('a line damaged otherwise is an error with file and line, not passed over', async (t) => {
  for (const damaged of ['{"n":1', '', '7', 'null', '\0\0\0']) {
    const path = await newJournal(t, `{"n":0}\n${damaged}\n{"n":2}\n`);
    await assert.rejects(readRecords(path, parse), pkiError('pki.invalid_file', /journal\.jsonl:2:1: /));
  }
});

test('a journal that is gone is an error, not an empty one', async (t) => {
  const path = join(await temporaryDirectory(t), 'journal.jsonl');
  await assert.rejects(readRecords(path, parse), { code: 'ENOENT' });
  await assert.rejects(appendRecords(path, [{ n: 1 }]), { code: 'ENOENT' });
});

test('lines are only ever added', async (t) => {
  const path = await newJournal(t, '{"n":0}\n{"n"');
  const before = await readFile(path, 'utf8');
  await appendRecords(path, [{ n: 1 }]);
  assert.ok((await readFile(path, 'utf8')).startsWith(before));
});

test('a reader takes what was appended since, and a file that was replaced from its beginning', async (t) => {
  const path = await newJournal(t);
  let parsed = 0;
  const reader = new JournalReader(path, (value) => {
    parsed++;
    return parse(value);
  });
  await appendRecords(path, [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(await reader.read(), [{ n: 1 }, { n: 2 }]);
  await appendFile(path, '{"n":3');
  assert.deepEqual(await reader.read(), [{ n: 1 }, { n: 2 }]);
  await appendRecords(path, [{ n: 4 }]);
  assert.deepEqual(await reader.read(), [{ n: 1 }, { n: 2 }, { n: 4 }]);
  assert.equal(parsed, 3);
  await appendFile(path, 'damage\n');
  await assert.rejects(reader.read(), pkiError('pki.invalid_file', /journal\.jsonl:5:1: /));
  await writeFile(path, '{"n":9}\n');
  assert.deepEqual(await reader.read(), [{ n: 9 }]);
});
