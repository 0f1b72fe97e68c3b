/** In a process whose files may not grow beyond a limit: records until that is met, lifts it, and looks at what is there. */
import assert from 'node:assert/strict';
import { limitFiles, waitFor } from '@moat/testkit';
import { Journal } from '../../dist/audit/journal.js';
import { lastRecords } from '../../dist/audit/read.js';
import { verifyJournal } from '../../dist/audit/verify.js';
import { silent } from '../support/broker.js';

const [directory = ''] = process.argv.slice(2);
const changes: (string | undefined)[] = [];
const journal = await Journal.open(directory, { max_file_size: 1_048_576, max_files: 4 }, silent, (failure) =>
  changes.push(failure?.message),
);

limitFiles(10_000);
for (let each = 0; each < 12_000; each++) {
  journal.record('client.connected', { clientId: `c${each}`, address: '192.0.2.1' });
  if (each % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
}
await waitFor(() => journal.failure !== undefined, { what: 'the disk to be full' });
limitFiles('unlimited');
await waitFor(() => journal.failure === undefined, { what: 'the journal to go on' });
await journal.close();

assert.equal(changes.length, 2);
assert.match(changes[0] ?? '', /EFBIG/);
const { problems } = await verifyJournal(directory);
assert.deepEqual(problems, []);
const records = await lastRecords(directory, 1e9, () => true);
const lost = records.find(({ event }) => event === 'audit.lost')?.count ?? 0;
assert.ok(lost > 0, 'more was recorded than may wait');
assert.equal(records.filter(({ event }) => event === 'client.connected').length + lost, 12_000);
