/** Records event after event in the journal of the directory given, and prints the number of each once it is on disk. */
import { Journal } from '../../dist/audit/journal.js';
import { lastRecords } from '../../dist/audit/read.js';
import { silent } from '../support/broker.js';

const [directory = ''] = process.argv.slice(2);
const journal = await Journal.open(directory, { max_file_size: 65_536, max_files: 1_000 }, silent, () => {});
for (let batch = 0; ; batch++) {
  for (let each = 0; each < 7; each++) journal.record('client.connected', { clientId: `${batch}/${each}` });
  await new Promise((resolve) => setImmediate(resolve));
  if (batch % 10 === 0) {
    const [last] = await lastRecords(directory, 1, () => true);
    if (last !== undefined) console.log(last.seq);
  }
}
