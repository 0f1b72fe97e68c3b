import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@moat/testkit';
import { Audit, type AuditFields } from '../../dist/audit/audit.js';
import { followJournal } from '../../dist/audit/follow.js';
import { Journal, type JournalLimits } from '../../dist/audit/journal.js';
import { lastRecords, readJournal } from '../../dist/audit/read.js';
import { verifyJournal } from '../../dist/audit/verify.js';
import { silent } from '../support/broker.js';
import { newDirectory } from './new-directory.js';

const writer = fileURLToPath(new URL('journal-writer.js', import.meta.url));
const roomy: JournalLimits = { max_file_size: 16_777_216, max_files: 64 };
const all = () => true;

async function open(directory: string, limits = roomy): Promise<Journal> {
  return Journal.open(directory, limits, silent, () => {});
}

/** A journal of `count` records, each of a batch of its own. */
async function written(count: number, limits = roomy): Promise<string> {
  const directory = await newDirectory();
  const journal = await open(directory, limits);
  for (let each = 1; each <= count; each++) {
    journal.record('client.connected', { clientId: `c${each}`, address: '192.0.2.1' });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await journal.close();
  return directory;
}

const fileOf = async (directory: string, index = 0): Promise<string> =>
  join(directory, (await readdir(directory)).sort()[index] ?? '');

async function change(file: string, how: (lines: string[]) => string[]): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  await writeFile(
    file,
    how(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

describe('The audit journal', () => {
  it('chains each record to the line before, and tells the hash of the last', async () => {
    const directory = await written(20);
    const file = await fileOf(directory);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const sha256 = (line: string) => createHash('sha256').update(line).digest('hex');
    for (const [index, line] of lines.entries()) {
      const { seq, prev, event } = JSON.parse(line) as Record<string, unknown>;
      assert.equal(seq, index + 1);
      assert.equal(event, 'client.connected');
      assert.equal(prev, index === 0 ? '0'.repeat(64) : sha256(lines[index - 1] ?? ''));
    }
    const report = await verifyJournal(directory);
    assert.deepEqual([report.records, report.problems, report.head], [20, [], sha256(lines.at(-1) ?? '')]);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  it('goes on where it ended', async () => {
    const directory = await written(3);
    const journal = await open(directory);
    journal.record('client.connected', { clientId: 'again' });
    await journal.close();
    const { records, last, problems } = await verifyJournal(directory);
    assert.deepEqual([records, last?.seq, problems], [4, 4, []]);
  });

  it('goes on in other files, and keeps a bounded number of them', async () => {
    const directory = await written(3_000, { max_file_size: 65_536, max_files: 3 });
    const { files, first, last, problems } = await verifyJournal(directory);
    assert.equal(files, 3);
    assert.ok((first?.seq ?? 0) > 1);
    assert.deepEqual([last?.seq, problems], [3_000, []]);
    for (const name of await readdir(directory)) assert.ok((await stat(join(directory, name))).size < 70_000);
  });

  it('clips what a client made long', async () => {
    const directory = await newDirectory();
    const journal = await open(directory);
    journal.record('auth.failed', { clientId: 'x'.repeat(60_000) });
    await journal.close();
    const [record] = await lastRecords(directory, 1, all);
    assert.equal(record?.clientId, `${'x'.repeat(1_024)}…`);
  });

  it('is read from its end, and followed as it grows', async () => {
    const directory = await written(700, { max_file_size: 65_536, max_files: 64 });
    assert.deepEqual(
      (await lastRecords(directory, 2, ({ seq }) => seq % 2 === 0)).map(({ seq }) => seq),
      [698, 700],
    );
    let count = 0;
    for await (const { seq } of readJournal(directory, all)) assert.equal(seq, ++count);
    assert.equal(count, 700);

    const controller = new AbortController();
    const coming = await followJournal(directory, controller.signal);
    const journal = await open(directory, { max_file_size: 65_536, max_files: 64 });
    journal.record('client.connected', { clientId: 'before anybody asks for the first one' });
    const seen: number[] = [];
    const following = (async () => {
      for await (const { seq } of coming) seen.push(seq);
    })();
    await waitFor(() => seen.length > 0);
    for (let each = 0; each < 500; each++) {
      journal.record('client.connected', { clientId: `${each}` });
      if (each % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await journal.close();
    const { last } = await verifyJournal(directory);
    await waitFor(() => seen.at(-1) === last?.seq);
    controller.abort();
    await following;
    const added = (last?.seq ?? 0) - 700;
    assert.ok(added > 500);
    assert.deepEqual(
      seen,
      Array.from({ length: added }, (_, index) => 701 + index),
    );
  });
});

describe('What is done to the journal', () => {
  const done: [what: string, how: (lines: string[]) => string[], problem: RegExp][] = [
    [
      'a word is changed',
      (lines) => lines.map((line) => line.replace('"c3"', '"c9"')),
      /:4:1: the line before .* changed/,
    ],
    ['a line is removed', (lines) => lines.toSpliced(2, 1), /:3:1: 1 records before this one are missing/],
    ['the first line is removed', (lines) => lines.slice(1), /no line has the hash/],
    [
      'two lines change places',
      ([a = '', b = '', ...rest]) => [b, a, ...rest],
      /:2:1: record 1 stands behind record 2/,
    ],
    ['a line is put in', (lines) => lines.toSpliced(2, 0, lines[0] ?? ''), /:3:1: record 1 stands behind record 2/],
    ['a line becomes something else', (lines) => lines.toSpliced(1, 1, 'nothing'), /:2:1: this line is no record/],
    ['the end is cut off', (lines) => lines.slice(0, -2), /no line has the hash/],
    [
      'a line is removed and those after it are written anew',
      ([first = '', , ...rest]) => {
        let [before, seq] = [first, 1];
        return [
          first,
          ...rest.map((line) => {
            const prev = createHash('sha256').update(before).digest('hex');
            before = JSON.stringify({ ...(JSON.parse(line) as object), seq: ++seq, prev });
            return before;
          }),
        ];
      },
      /no line has the hash/,
    ],
  ];

  for (const [what, how, problem] of done) {
    it(`is found: ${what}`, async () => {
      const directory = await written(6);
      const { head } = await verifyJournal(directory);
      // The first line is what the hash of the first line is kept for.
      const first = createHash('sha256').update((await readFile(await fileOf(directory), 'utf8')).split('\n')[0] ?? '');
      await change(await fileOf(directory), how);
      const kept = what.startsWith('the first line') ? first.digest('hex') : head;
      const { problems } = await verifyJournal(directory, kept);
      assert.match(problems.join('\n'), problem);
    });
  }

  it('is found: a file is removed', async () => {
    const directory = await written(1_500, { max_file_size: 65_536, max_files: 64 });
    await rm(await fileOf(directory, 1));
    const { problems } = await verifyJournal(directory);
    assert.match(problems.join('\n'), /1 files before this one are missing/);
    assert.match(problems.join('\n'), /\d+ records before this one are missing/);
  });

  it('does not count where a crash cut the last line short: that is told, and the chain goes on', async () => {
    const directory = await written(3);
    await appendFile(await fileOf(directory), '{"seq":4,"time":12');
    const journal = await open(directory);
    await journal.close();
    const { problems, torn, last } = await verifyJournal(directory);
    assert.deepEqual([problems, torn, last?.seq], [[], [`${await fileOf(directory)}:4`], 4]);
    const [record] = await lastRecords(directory, 1, all);
    assert.equal(record?.event, 'audit.torn');
  });

  it('loses nothing that was on disk when the process is killed, ten times over', async () => {
    const directory = await newDirectory();
    for (let cycle = 1; cycle <= 10; cycle++) {
      const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
      let seen = 0;
      let left = 1 + ((cycle * 5) % 8);
      for await (const line of createInterface(child.stdout)) {
        seen = Number(line);
        if (--left === 0) child.kill('SIGKILL');
      }
      if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
      const { problems, last } = await verifyJournal(directory);
      assert.deepEqual(problems, []);
      assert.ok((last?.seq ?? 0) >= seen);
    }
  });
});

describe('A flood of failures', () => {
  it('is told singly at first, then by its number for each address, and drives nothing else out', async () => {
    const directory = await newDirectory();
    const journal = await open(directory);
    for (let each = 0; each < 5_000; each++) {
      const fields: AuditFields = { address: `192.0.2.${each % 4}`, username: `user-${each}`, reason: 'bad_password' };
      journal.record('auth.failed', fields);
      if (each % 100 === 0) journal.record('client.connected', { address: '192.0.2.1', clientId: `c${each}` });
    }
    await journal.close();
    const records = await lastRecords(directory, 1e9, all);
    const failed = records.filter(({ event }) => event === 'auth.failed');
    assert.equal(records.filter(({ event }) => event === 'client.connected').length, 50);
    assert.equal(failed.length, 4 * 20 + 4);
    assert.equal(
      failed.reduce((sum, { count = 1 }) => sum + count, 0),
      5_000,
    );
  });

  it('does not hide what was issued: a fleet behind one address has a record for each device', async () => {
    const directory = await newDirectory();
    const journal = await open(directory);
    for (let each = 0; each < 100; each++)
      journal.record('cert.issued', { address: '192.0.2.1', reason: `pump-${each}` });
    await journal.close();
    assert.equal((await lastRecords(directory, 1e9, all)).length, 100);
  });

  it('from any number of addresses takes a bounded number of records', async () => {
    const directory = await newDirectory();
    const journal = await open(directory);
    for (let each = 0; each < 20_000; each++)
      journal.record('tls.client_rejected', { address: `10.0.${each >> 8}.${each & 255}` });
    await journal.close();
    const records = await lastRecords(directory, 1e9, all);
    assert.ok(records.length <= 1_001, `${records.length} records`);
    assert.equal(
      records.reduce((sum, { count = 1 }) => sum + count, 0),
      20_000,
    );
  });
});

describe('What is kept', () => {
  const kept = (keep: Audit['keep']): string[] => {
    const codes: string[] = [];
    const audit = new Audit(silent);
    audit.keep = keep;
    audit.keeper = { failure: undefined, record: (code) => codes.push(code) };
    for (const code of ['client.connected', 'auth.failed', 'client.disconnected'] as const) audit.record(code, {});
    assert.equal(audit.counts['client.connected'], 1, 'counted in any case');
    return codes;
  };

  it('is everything, problems alone, or nothing', () => {
    assert.deepEqual(kept('everything'), ['client.connected', 'auth.failed', 'client.disconnected']);
    assert.deepEqual(kept('problems'), ['auth.failed']);
    assert.deepEqual(kept('nothing'), []);
  });
});
