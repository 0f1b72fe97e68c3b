import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { entry, message, session } from './records.js';

// A process to be killed: `node lmdb-writer.js DIRECTORY FIRST`. In each turn it adds a message to two queues and takes
// away the one five places before; it writes the message's number when that is durable.

const [, , directory = '', first = '1'] = process.argv;
const store = await openLmdbStore(directory);
for (const clientId of ['a', 'b']) store.putSession(session(clientId));

async function write(number: number): Promise<void> {
  const shared = message('t', { payload: Buffer.alloc(100 + (number % 7) * 1_000, number) });
  for (const clientId of ['a', 'b']) {
    store.enqueue(clientId, entry(number, { message: shared }));
    if (number > 5) store.dequeue(clientId, number - 5);
  }
  await store.commit();
  process.stdout.write(`${number}\n`);
}

for (let next = Number(first); ; next += 8)
  await Promise.all(Array.from({ length: 8 }, (_, index) => write(next + index)));
